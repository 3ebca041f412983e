import { describe, expect, it } from "vitest";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  EVENTS,
  EXTERNAL_SECRETS,
  type KubeObject,
  LEASES,
  PODS,
  REPLICA_SETS,
  SECRETS,
} from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { manualClock } from "../journal/manual-clock.ts";
import { landsLate, lostRace } from "./model/faults.ts";
import { KubeModel } from "./model/kube-model.ts";
import { type Workload, Workloads } from "./model/workloads.ts";

type Any = KubeObject & Record<string, unknown>;

function make() {
  const clock = manualClock();
  const model = new KubeModel({ clock });
  const apiOf = (user?: string) =>
    kubeApi(async () => ({ send: user ? model.as(user) : model.send, namespace: "shop", name: "model" }));
  return { model, clock, apiOf, api: apiOf(), workloads: new Workloads(model) };
}

const named = (name: string, rest: object = {}) => ({ metadata: { name }, ...rest }) as Any;
const base64 = (text: string) => Buffer.from(text).toString("base64");

async function refusal(work: Promise<unknown>): Promise<string> {
  const thrown = await work.then(
    () => undefined,
    (cause) => cause,
  );
  expect(thrown).toBeInstanceOf(RotationError);
  const { code, message } = thrown as RotationError;
  return `${code}: ${message}`;
}

describe("versions of objects", () => {
  it("change with every change and with nothing else", async () => {
    const { api } = make();
    const made = await api.create(SECRETS, "shop", named("a", { data: { K: base64("1") } }));
    const same = await api.replace(SECRETS, "shop", made);
    expect(same.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
    const other = await api.patch(SECRETS, "shop", "a", { metadata: { labels: { app: "x" } } });
    expect(other.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    expect(other.metadata.uid).toBe(made.metadata.uid);
  });

  it("are counted in generations only where the spec changes", async () => {
    const { api, workloads } = make();
    workloads.create(DEPLOYMENTS, "payments");
    const labelled = await api.patch(DEPLOYMENTS, "shop", "payments", { metadata: { labels: { a: "b" } } });
    expect(labelled.metadata.generation).toBe(1);
    const scaled = await api.patch(DEPLOYMENTS, "shop", "payments", { spec: { replicas: 3 } });
    expect(scaled.metadata.generation).toBe(2);
    expect((await api.create(SECRETS, "shop", named("a"))).metadata.generation).toBeUndefined();
  });

  it("make a Lease that is gone again only when no uid says which one was meant", async () => {
    const { model, api } = make();
    const lease = await api.create(LEASES, "shop", named("worker"));
    await api.delete(LEASES, "shop", "worker");
    expect(await refusal(api.replace(LEASES, "shop", lease))).toMatch(/^absent/);
    const { uid: _, ...metadata } = lease.metadata;
    const answer = await model.send({
      method: "PUT",
      path: "/apis/coordination.k8s.io/v1/namespaces/shop/leases/worker",
      body: { ...lease, metadata },
    });
    expect(answer.status).toBe(201);
  });
});

describe("managed fields", () => {
  const ownerOf = ({ metadata }: KubeObject, key: string) =>
    metadata.managedFields?.find(({ fieldsV1 }) => JSON.stringify(fieldsV1).includes(`"f:${key}"`));

  it("say who wrote an entry last, and when", async () => {
    const { api, model, clock } = make();
    await api.create(SECRETS, "shop", named("a", { data: { OURS: base64("1"), THEIRS: base64("1") } }));
    const before = new Date(clock.now()).toISOString().replace(/\.\d+Z/, "Z");
    clock.advance(60_000);
    const change = (object: Any) => {
      object.data = { ...(object.data as object), THEIRS: base64("2") };
    };
    const now = model.edit<Any>(SECRETS, "shop", "a", change, { manager: "external-secrets" });
    expect(ownerOf(now, "OURS")).toMatchObject({ manager: "keyturn", time: before });
    expect(ownerOf(now, "THEIRS")).toMatchObject({ manager: "external-secrets" });
    expect(ownerOf(now, "THEIRS")?.time).not.toBe(before);
  });

  it("keep their time when an owner writes nothing new", async () => {
    const { api, model, clock } = make();
    const made = await api.create(SECRETS, "shop", named("a", { data: { K: base64("1") } }));
    clock.advance(60_000);
    const written = await api.patch(SECRETS, "shop", "a", { data: { K: base64("1") } });
    expect(written.metadata.managedFields).toEqual(made.metadata.managedFields);
    model.edit<Any>(SECRETS, "shop", "a", (object) => {
      object.metadata.labels = { app: "x" };
    });
    expect(ownerOf(model.find(SECRETS, "shop", "a") as KubeObject, "K")).toMatchObject({
      time: made.metadata.managedFields?.[0]?.time,
    });
  });
});

describe("what the API server refuses", () => {
  const lease = (spec: object) => named("lease", { spec });
  it.each([
    ["data that is no base64", SECRETS, named("a", { data: { K: "é" } }), "illegal base64"],
    [
      "a Secret over a mebibyte",
      SECRETS,
      named("a", { data: { K: base64("x".repeat(2 ** 20 + 1)) } }),
      "1048576",
    ],
    [
      "a ConfigMap over a mebibyte",
      CONFIG_MAPS,
      named("a", { data: { K: "x".repeat(2 ** 20 + 1) } }),
      "1048576",
    ],
    ["a key with a slash", SECRETS, named("a", { data: { "a/b": "" } }), "data[a/b]"],
    ["a name in capitals", SECRETS, named("Payments"), "RFC 1123"],
    ["a number for text", CONFIG_MAPS, named("a", { data: { K: 7 } }), "cannot unmarshal number"],
    [
      "an instant to the second in a Lease",
      LEASES,
      lease({ renewTime: "2026-11-21T03:15:00Z" }),
      "parsing time",
    ],
    ["a Lease of no duration", LEASES, lease({ leaseDurationSeconds: 0 }), "greater than 0"],
    ["transitions below zero", LEASES, lease({ leaseTransitions: -1 }), "greater than or equal to 0"],
    [
      "an Event of another namespace",
      EVENTS,
      named("e", { involvedObject: { namespace: "x" } }),
      "does not match event.namespace",
    ],
    [
      "a workload that does not select its pods",
      DEPLOYMENTS,
      named("d", { spec: { selector: {} } }),
      "selector",
    ],
  ])("%s", async (_, resource, object, says) => {
    const { api } = make();
    const text = await refusal(api.create(resource, "shop", object));
    expect(text).toMatch(/^rejected/);
    expect(text).toContain(says);
  });

  it("a label, an annotation, or all annotations together that are too long", async () => {
    const { api } = make();
    const create = (metadata: object) =>
      refusal(api.create(SECRETS, "shop", { metadata: { name: "a", ...metadata } }));
    expect(await create({ labels: { app: "x".repeat(64) } })).toContain("no more than 63 bytes");
    expect(await create({ annotations: { "a b": "x" } })).toContain("name part");
    const annotations = { "keyturn.dev/a": "x".repeat(2 ** 17), "keyturn.dev/b": "x".repeat(2 ** 17) };
    expect(await create({ annotations })).toContain("262144");
  });

  it("to change what is immutable", async () => {
    const { api } = make();
    await api.create(SECRETS, "shop", named("a", { immutable: true, data: { K: base64("1") } }));
    expect(await refusal(api.patch(SECRETS, "shop", "a", { data: { K: base64("2") } }))).toContain(
      "immutable",
    );
    await api.create(SECRETS, "shop", named("b"));
    expect(await refusal(api.patch(SECRETS, "shop", "b", { type: "other" }))).toContain("field is immutable");
  });

  it("what nobody may, where a rule by names covers neither create nor list", async () => {
    const { api, model } = make();
    const verbs = ["get", "create", "list"];
    model.allow({ verbs, resources: ["secrets"], resourceNames: ["a"], namespace: "shop" });
    expect(await api.get(SECRETS, "shop", "a")).toBeUndefined();
    expect(await refusal(api.create(SECRETS, "shop", named("a")))).toContain(
      'cannot create resource "secrets" in API group "" in the namespace "shop"',
    );
    expect(await refusal(api.list(SECRETS, "shop"))).toMatch(/^forbidden/);
    const byName = await api.list(SECRETS, "shop", { fieldSelector: "metadata.name=a" });
    expect(byName.items).toEqual([]);
  });
});

describe("what is told to end", () => {
  it("goes on while a finalizer holds it", async () => {
    const { api, model } = make();
    await api.create(EXTERNAL_SECRETS, "shop", {
      metadata: { name: "payments", finalizers: ["external-secrets.io/cleanup"] },
    });
    await api.delete(EXTERNAL_SECRETS, "shop", "payments");
    const ending = (await api.get(EXTERNAL_SECRETS, "shop", "payments")) as KubeObject;
    expect(ending.metadata.deletionTimestamp).toBeDefined();
    await api.patch(EXTERNAL_SECRETS, "shop", "payments", { metadata: { finalizers: null } });
    expect(model.find(EXTERNAL_SECRETS, "shop", "payments")).toBeUndefined();
  });

  it("is a pod that stays, terminating, until it has finished", async () => {
    const { api, model, workloads } = make();
    workloads.create(DEPLOYMENTS, "payments", { replicas: 1 });
    workloads.settle(DEPLOYMENTS, "payments");
    const [pod] = workloads.pods(DEPLOYMENTS, "payments");
    await api.delete(PODS, "shop", pod?.metadata.name as string);
    const [ending] = (await api.list(PODS, "shop")).items;
    expect(ending?.metadata.deletionTimestamp).toBeDefined();
    model.finish(ending as KubeObject);
    expect((await api.list(PODS, "shop")).items).toEqual([]);
  });
});

describe("a rollout", () => {
  it("brings pods of the new template before those of the old one go", async () => {
    const { api, workloads } = make();
    workloads.create(DEPLOYMENTS, "payments", { secret: "payments" });
    workloads.settle(DEPLOYMENTS, "payments");
    const stamp = { spec: { template: { metadata: { annotations: { "keyturn.dev/rotation": "r1" } } } } };
    await api.patch(DEPLOYMENTS, "shop", "payments", stamp);
    let most = 0;
    while (workloads.advance(DEPLOYMENTS, "payments")) {
      most = Math.max(most, workloads.pods(DEPLOYMENTS, "payments").length);
    }
    expect(most).toBeGreaterThan(2);
    const done = workloads.get(DEPLOYMENTS, "payments");
    expect(done.status).toMatchObject({ observedGeneration: 2, updatedReplicas: 2, replicas: 2 });
    const stamps = workloads
      .pods(DEPLOYMENTS, "payments")
      .map(({ metadata }) => metadata.annotations?.["keyturn.dev/rotation"]);
    expect(stamps).toEqual(["r1", "r1"]);
    expect((await api.list(REPLICA_SETS, "shop")).items).toHaveLength(2);
  });

  it("does not begin while it is paused", async () => {
    const { model, workloads } = make();
    workloads.create(DEPLOYMENTS, "payments");
    workloads.settle(DEPLOYMENTS, "payments");
    model.edit<Workload>(DEPLOYMENTS, "shop", "payments", ({ spec }) => {
      spec.paused = true;
      spec.template.metadata.annotations = { "keyturn.dev/rotation": "r1" };
    });
    const { status } = workloads.settle(DEPLOYMENTS, "payments");
    expect(status).toMatchObject({ observedGeneration: 2, replicas: 2 });
    expect(status?.updatedReplicas).toBeUndefined();
  });
});

describe("faults", () => {
  it("let a call land when its sender has given it up", async () => {
    const { api, model, clock } = make();
    const slow = Promise.withResolvers<void>();
    const late = new KubeModel({ clock: { now: clock.now, sleep: () => slow.promise } });
    const lateApi = kubeApi(async () => ({ send: late.send, namespace: "shop", name: "model" }));
    late.once({ verb: "create" }, landsLate(late, 5_000));
    expect(await refusal(lateApi.create(SECRETS, "shop", named("a")))).toMatch(/^unclear/);
    expect(late.find(SECRETS, "shop", "a")).toBeUndefined();
    slow.resolve();
    await expect.poll(() => late.find(SECRETS, "shop", "a")).toBeDefined();
    model.once({ resource: "secrets" }, lostRace, 2);
    expect(await refusal(api.create(SECRETS, "shop", named("a")))).toMatch(/^conflict/);
    expect(await refusal(api.create(SECRETS, "shop", named("a")))).toMatch(/^conflict/);
    expect(await api.create(SECRETS, "shop", named("a"))).toBeDefined();
  });

  it("meet one of two workers", async () => {
    const { api, apiOf, model } = make();
    const other = apiOf("system:serviceaccount:keyturn:other");
    model.access.refuse();
    expect(await refusal(api.get(SECRETS, "shop", "a"))).toMatch(/^unauthorized/);
    expect(await other.get(SECRETS, "shop", "a")).toBeUndefined();
    model.access.accept();
    expect(await api.get(SECRETS, "shop", "a")).toBeUndefined();
  });
});
