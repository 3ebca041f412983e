import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DAEMON_SETS,
  DEPLOYMENTS,
  type KubeAnswer,
  type KubeObject,
  type KubeRequest,
  PODS,
  SECRETS,
  STATEFUL_SETS,
} from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { ProbeParts } from "../../src/probes/parts.ts";
import { confirms, type Sweep } from "../../src/probes/probe.ts";
import { createReload } from "../../src/probes/reload.ts";
import { asked, cluster, NEW, OLD } from "../probes/kubernetes/cluster.ts";
import { consumer, contract, NEW_KEY, realParts } from "../probes/support.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { anyJson, expectWithout, mutated, outcome, runs } from "./generators.ts";

const PLAINTEXT = "sk-or-v1-plaintext0123456789abcdef";
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    PLAINTEXT,
    `p\r\n${PLAINTEXT}${"x".repeat(500)}`,
    asked.hash,
    "2027-03-10T12:00:00Z",
    "",
  ),
  anyJson,
);

/** What a cluster answers whose rollout is complete, by path. */
async function healthy(resource: typeof DEPLOYMENTS): Promise<Map<string, unknown>> {
  const world = cluster();
  world.workloads.create(resource, "payments", { secret: "payments-openrouter" });
  world.put(NEW);
  await world.pass(5_000);
  world.stamp(resource);
  world.workloads.settle(resource, "payments");
  world.externalSecret({ target: { name: "payments-openrouter" } }, [
    { type: "Ready", status: "True", reason: "SecretSynced" },
  ]);
  const answers = new Map<string, unknown>();
  world.model.interpose(async (call, proceed) => {
    const answer = await proceed();
    answers.set(call.request.path, answer.body);
    return answer;
  });
  for (const kind of [resource, SECRETS])
    await world.kube.get(kind, "shop", kind === SECRETS ? "payments-openrouter" : "payments");
  await world.kube.list(PODS, "shop");
  await world.kube.get(
    { group: "external-secrets.io", version: "v1", plural: "externalsecrets", kind: "ExternalSecret" },
    "shop",
    "payments",
  );
  return answers;
}

function partsOn(answers: ReadonlyMap<string, unknown>, body = "{}"): ProbeParts {
  const send = async ({ path }: KubeRequest): Promise<KubeAnswer> => ({
    status: 200,
    body: structuredClone(answers.get(path)),
    headers: { date: "Wed, 10 Mar 2027 12:00:30 GMT" },
  });
  const clock = virtualClock();
  const kube = kubeApi(async () => ({ send, namespace: "shop", name: "hostile" }), {
    clock,
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0.5 },
  });
  return {
    ...realParts(),
    clock,
    kube: () => kube,
    send: async () => ({ status: 200, headers: {}, body }),
  };
}

function expectBounded(sweep: Sweep): void {
  for (const { instance, detail } of sweep.instances) {
    expect(detail.length).toBeLessThanOrEqual(200);
    expect(instance.length).toBeLessThanOrEqual(200);
  }
  expect(sweep.problem?.length ?? 0).toBeLessThanOrEqual(200);
  const shown = [
    sweep.problem,
    ...sweep.instances.flatMap(({ instance, detail }) => [instance, detail]),
  ].join("");
  expect(shown).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expectWithout([PLAINTEXT, PLAINTEXT.slice(9, 30), NEW, OLD], JSON.stringify(sweep));
}

/** The answers with one of them changed. */
const changed = (answers: ReadonlyMap<string, unknown>) =>
  fc
    .constantFrom(...answers.keys())
    .chain((path) => mutated(answers.get(path), odd).map((body) => new Map([...answers, [path, body]])));

const HOOK = { kubernetes: { sync: "externalsecret/payments", restart: "deployment/payments" } };

test.each([
  ["deployment", DEPLOYMENTS],
  ["statefulset", STATEFUL_SETS],
  ["daemonset", DAEMON_SETS],
])(
  "whatever is said of a %s, its pods and its Secret, a rollout probe judges or says why not",
  async (kind, resource) => {
    const answers = await healthy(resource);
    const policy = consumer({ kubernetes: { rollout: `${kind}/payments` } }, HOOK);
    const sweep = (with_: ReadonlyMap<string, unknown>) => createProbe(policy, partsOn(with_)).sweep(asked);
    expect(confirms(await sweep(answers))).toBe(true);
    await fc.assert(
      fc.asyncProperty(changed(answers), async (with_) => {
        const found = await sweep(with_);
        expectBounded(found);
        if (!confirms(found)) return;
        const workload = JSON.stringify([...with_.values()][0]);
        expect(workload).toContain(`"key.keyturn.dev/payments-api":"${asked.hash}"`);
      }),
      runs(200),
    );
  },
);

test("whatever is said of pods, a pods probe asks those that have an address, or says why not", async () => {
  const answers = await healthy(DEPLOYMENTS);
  const policy = consumer({ pods: { selector: "app=payments", port: 8080, path: "/healthz" } });
  const sweep = (with_: ReadonlyMap<string, unknown>) =>
    createProbe(policy, partsOn(with_, contract(NEW_KEY))).sweep(asked);
  expect(confirms(await sweep(answers))).toBe(true);
  await fc.assert(
    fc.asyncProperty(changed(answers), async (with_) => expectBounded(await sweep(with_))),
    runs(200),
  );
});

test("whatever is said of an ExternalSecret, its Secret and the workload, a reload ends, or fails with an error of ours", async () => {
  const answers = await healthy(DEPLOYMENTS);
  const policy = consumer({ http: "http://127.0.0.1:1/" }, HOOK);
  await fc.assert(
    fc.asyncProperty(changed(answers), async (with_) => {
      const { error } = await outcome(createReload(policy, partsOn(with_))?.run(asked) ?? Promise.reject(), [
        PLAINTEXT,
        NEW,
        OLD,
      ]);
      expect(error?.message.length ?? 0).toBeLessThanOrEqual(2_000);
    }),
    runs(150),
  );
});

test("an object with everything missing is no reason to confirm", async () => {
  const answers = await healthy(DEPLOYMENTS);
  const bare = new Map(
    [...answers].map(([path, body]) => {
      const { kind, metadata } = body as KubeObject;
      const { name, resourceVersion } = metadata;
      return [
        path,
        { kind, metadata: { name, resourceVersion }, ...(kind?.endsWith("List") && { items: [] }) },
      ];
    }),
  );
  const policy = consumer({ kubernetes: { rollout: "deployment/payments" } }, HOOK);
  expect(await createProbe(policy, partsOn(bare)).sweep(asked)).toMatchObject({
    instances: [],
    problem: expect.stringContaining("it has no selector"),
  });
});
