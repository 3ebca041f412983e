import { beforeEach, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { emptyDocument } from "../../src/journal/document.ts";
import { openKubernetesJournal } from "../../src/journal/kubernetes/open.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  EXTERNAL_SECRETS,
  type KubeApi,
  type KubeObject,
  type KubeResource,
  LEASES,
  SECRETS,
  STATEFUL_SETS,
} from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { fingerprint } from "../../src/lib/secret.ts";
import type { Policy } from "../../src/policy/schema.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { ProbeParts } from "../../src/probes/parts.ts";
import { createReload } from "../../src/probes/reload.ts";
import { openRouterProvider } from "../../src/providers/openrouter/provider.ts";
import { rightsManifest } from "../../src/rights/manifest.ts";
import { neededRights } from "../../src/rights/needed.ts";
import { emptyObjects } from "../../src/rights/objects.ts";
import { createEngine } from "../../src/rotation/engine.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { Workloads } from "../kubernetes/model/workloads.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { seededRandom } from "../rotation/scenario.ts";
import { EVERYTHING, policyOf } from "./policies.ts";

interface SecretObject extends KubeObject {
  data?: Record<string, string>;
}
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** A cluster with the workloads of the policy, whose controllers do their work after each call. */
function startCluster() {
  const clock = virtualClock();
  const model = new KubeModel({ clock });
  const workloads = [
    { of: new Workloads(model, "shop"), resource: DEPLOYMENTS, name: "payments" },
    { of: new Workloads(model, "billing"), resource: DEPLOYMENTS, name: "billing" },
    { of: new Workloads(model, "search"), resource: STATEFUL_SETS, name: "search" },
  ];
  const key = (field: string) => {
    const text = model.find<SecretObject>(SECRETS, "shop", "payments")?.data?.[field] ?? "";
    return Buffer.from(text, "base64").toString();
  };
  const sync = () => {
    const data = { key: base64(key("SEARCH_KEY")) };
    const now = model.find<SecretObject>(SECRETS, "search", "search")?.data;
    if (now?.key !== data.key)
      model.put(SECRETS, "search", { metadata: { name: "search" }, data } as KubeObject, "external-secrets");
  };
  const settle = () => {
    for (const { of, resource, name } of workloads) of.settle(resource, name);
  };
  for (const { of, resource, name } of workloads) of.create(resource, name);
  const external = { metadata: { name: "search" }, spec: { refreshInterval: "1h" } } as KubeObject;
  model.put(EXTERNAL_SECRETS, "search", external);
  settle();
  model.interpose(async (call, proceed) => {
    const answer = await proceed();
    if (call.verb !== "patch") return answer;
    if (call.resource === EXTERNAL_SECRETS.plural) sync();
    else settle();
    return answer;
  });
  return { clock, model, key, sync };
}

type Cluster = ReturnType<typeof startCluster>;

/** keyturn in that cluster, as its ServiceAccount. */
async function startEngine(policy: Policy, { clock, model, key }: Cluster, provider: ProviderModel) {
  const random = seededRandom();
  const outside = { clock, random };
  const kube: KubeApi = kubeApi(
    async () => ({ send: model.send, namespace: "keyturn", name: "in-cluster" }),
    outside,
  );
  if (policy.journal.type !== "kubernetes") throw new Error("the policy has another journal");
  const journal = await openKubernetesJournal(policy.journal, {
    ...outside,
    kube,
    holder: { host: "keyturn-0", pod: { namespace: "keyturn", name: "keyturn-0" } },
    log: () => {},
  });
  const management = provider.addManagementKey();
  const probeParts: ProbeParts = {
    send: async () => {
      const serving = fingerprint(key("OPENROUTER_API_KEY"));
      const body = JSON.stringify({ status: "ok", keys: { "payments-api": { serving } } });
      return { status: 200, headers: {}, body };
    },
    readSecret: async () => management,
    readFile: async () => "",
    lookup: async () => [],
    run: () => {
      throw new Error("no exec here");
    },
    kube: () => kube,
    clock,
    env: {},
  };
  const config = policy.providers.openrouter as Policy["providers"][string];
  const openrouter = openRouterProvider("openrouter", config, {
    ...outside,
    send: handlerSend(openRouterApi(provider), clock),
    readSecret: async () => management,
  });
  const store = kubernetesStore("shop", policy.stores.shop as never, { ...outside, kube });
  const consumersOf = (one: Policy["keys"][number]) => (one.consumers === "none" ? [] : one.consumers);
  return createEngine(policy, {
    ...outside,
    journal,
    log: () => {},
    connect: {
      provider: () => openrouter,
      store: () => store,
      probes: (snapshot) => consumersOf(snapshot.key).map((one) => createProbe(one, probeParts, snapshot)),
      reloads: (snapshot) =>
        consumersOf(snapshot.key).flatMap((one) => createReload(one, probeParts, snapshot) ?? []),
    },
  });
}

describe("the rights that rotate init prints", () => {
  let policy: Policy;
  let cluster: Cluster;
  let provider: ProviderModel;
  beforeEach(async () => {
    policy = await policyOf(EVERYTHING);
    cluster = startCluster();
    provider = new ProviderModel({ clock: cluster.clock, random: seededRandom("provider") });
    const byHand = (name: string) => base64(provider.create({ name }).key.reveal());
    apply(policy, cluster.model);
    cluster.model.edit<SecretObject>(SECRETS, "shop", "payments", (secret) => {
      secret.data = { OPENROUTER_API_KEY: byHand("payments"), SEARCH_KEY: byHand("search") };
    });
    cluster.sync();
  });

  /** What was called and not asked for, and what was asked for and not called. */
  const compare = () => {
    const said = (verb: string, resource: string, namespace: string, name = "") =>
      `${verb} ${resource} ${namespace} ${name}`;
    const called = new Set(
      cluster.model.calls.map(({ verb, resource, namespace, name }) =>
        said(verb, resource, namespace, verb === "create" ? "" : name),
      ),
    );
    const all = neededRights(policy, "keyturn");
    const rights = new Set(
      all.map(({ verb, resource, namespace, name }) => said(verb, resource.plural, namespace, name)),
    );
    const less = (some: Set<string>, others: Set<string>) => [...some].filter((one) => !others.has(one));
    return { beyond: less(called, rights), unused: less(rights, called) };
  };

  it("are enough for rotations of every kind, and each but the look at a dead pod is used", async () => {
    const engine = await startEngine(policy, cluster, provider);
    const before = [cluster.key("OPENROUTER_API_KEY"), cluster.key("SEARCH_KEY")];
    for (const { name } of policy.keys) {
      await engine.request(name, { kind: "rotate", actor: "test" });
      const deadline = cluster.clock.now() + 7_200_000;
      const [result] = await engine.pass({ keys: [name], deadline, start: true, until: "deleted" });
      expect(result).toMatchObject({ key: name, outcome: "deleted" });
    }
    await engine.close();
    expect([cluster.key("OPENROUTER_API_KEY"), cluster.key("SEARCH_KEY")]).not.toEqual(before);
    expect(compare()).toEqual({ beyond: [], unused: ["get pods keyturn "] });
  });

  it("hold nothing up that the policy still has when a key and its rights have left", async () => {
    const gone = startCluster();
    const { clock, model } = gone;
    const random = seededRandom();
    const kube = kubeApi(async () => ({ send: model.send, namespace: "keyturn", name: "in-cluster" }));
    const config = { namespace: "keyturn", name: "rotations" };
    const parts = { kube, clock, random, holder: { host: "before" }, log: () => {} };
    const journal = await openKubernetesJournal(config, parts);
    const lease = await journal.acquire("shop/gone", 60_000);
    if (lease === undefined) throw new Error("the lease is free");
    await journal.commit(lease, { document: emptyDocument(), events: [] });
    await journal.close();

    apply(policy, model);
    const held = cluster.model.find<SecretObject>(SECRETS, "shop", "payments")?.data;
    model.edit<SecretObject>(SECRETS, "shop", "payments", (secret) => {
      secret.data = { ...held };
    });
    gone.sync();
    const engine = await startEngine(policy, gone, provider);
    await engine.request("payments-api", { kind: "rotate", actor: "test" });
    const deadline = clock.now() + 7_200_000;
    const results = await engine.pass({ deadline, start: true, until: "deleted" });
    expect(results.map(({ key, outcome }) => [key, outcome])).toEqual([
      ["payments-api", "deleted"],
      ["search", "idle"],
    ]);
  });

  it.each([
    ["the store", { resources: ["secrets"], namespace: "shop", verbs: ["patch"] }],
    ["the journal", { resources: ["configmaps"], verbs: ["update"] }],
    ["the restart", { resources: ["deployments"], verbs: ["patch"] }],
    ["the probe", { resources: ["pods"], verbs: ["list"] }],
  ])("are needed: without one of %s nothing is rotated", async (_part, rule) => {
    cluster.model.deny(rule);
    const before = cluster.key("OPENROUTER_API_KEY");
    const ended = await startEngine(policy, cluster, provider).then(
      async (engine) => {
        await engine.request("payments-api", { kind: "rotate", actor: "test" });
        const deadline = cluster.clock.now() + 60_000;
        const [result] = await engine.pass({
          keys: ["payments-api"],
          deadline,
          start: true,
          until: "deleted",
        });
        return result?.outcome;
      },
      () => "not opened",
    );
    expect(["completed", "deleted"]).not.toContain(ended);
    expect(provider.accepted(before)).toBeDefined();
  });
});

/** What `kubectl apply` makes of the manifest: its Roles are the worker's rights from now on. */
function apply(policy: Policy, model: KubeModel): void {
  const objects = emptyObjects(policy).map(({ object }) => object);
  const account = { namespace: "keyturn", name: "keyturn" };
  const text = rightsManifest(account, neededRights(policy, account.namespace), objects);
  const kinds = new Map<string, KubeResource>([SECRETS, CONFIG_MAPS, LEASES].map((one) => [one.kind, one]));
  for (const document of parseAllDocuments(text)) {
    const object = document.toJS();
    const resource = kinds.get(object.kind);
    const { name, namespace } = object.metadata;
    if (resource && !model.find(resource, namespace, name)) model.put(resource, namespace, object);
    if (object.kind !== "Role") continue;
    for (const rule of object.rules) model.allow({ namespace: object.metadata.namespace, ...rule });
  }
}
