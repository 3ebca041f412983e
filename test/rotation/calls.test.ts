import { expect, test } from "vitest";
import type { Store } from "../../src/stores/store.ts";
import { FIELD, type Hook, type Scenario } from "./scenario.ts";
import { inAws, inKubernetes } from "./store-worlds.ts";

/** How long each call takes. */
const LATENCY_MS = 20;
const NO_WAITS = {
  confirm: { timeout: "10m", interval: "5s", successThreshold: 1 },
  retire: { watch: "0s" },
};

const PLACE = { use: "aws", secret: "payments", field: FIELD, create: true };

interface Calls {
  world: Scenario;
  /** A process whose consumers take up a key at once. */
  process(): ReturnType<Scenario["process"]>;
  /** What was called since the last look, in the order in which it went out. */
  made(): string[];
}

function counting(world: Scenario, open: (call: (name: string) => Promise<void>) => Store): Calls {
  const calls: string[] = [];
  const call = async (name: string) => {
    calls.push(name);
    await world.clock.sleep(LATENCY_MS);
  };
  const before: Hook = async (name, [request]) => {
    const { method, url = "" } = (request ?? {}) as { method?: string; url?: string };
    const path = url.replace(/^.*\/api\/v1|\?.*$/g, "").replace(/[0-9a-f]{64}/, "HASH");
    if (name === "provider.send") await call(`${method} ${path}`);
    if (name !== "probe.send") return;
    world.payments.settle();
    await call("consumer");
  };
  return {
    world,
    process: () => world.process({ store: open(call), before }),
    made: () => calls.splice(0),
  };
}

async function onAws(key: Record<string, unknown> = {}, existing = true): Promise<Calls> {
  const { world, store } = await inAws({ existing, key: { ...NO_WAITS, store: PLACE, ...key } });
  return counting(world, store);
}

async function onKubernetes(): Promise<Calls> {
  const { world, store } = await inKubernetes({ key: { ...NO_WAITS, store: { ...PLACE, use: "cluster" } } });
  return counting(world, store);
}

/** How many of the calls went to the provider, to the store, and to the one consumer. */
function counted(calls: readonly string[]) {
  const toProvider = calls.filter((call) => /^(GET|POST|PATCH|DELETE) \//.test(call)).length;
  const sweeps = calls.filter((call) => call === "consumer").length;
  return { provider: toProvider, store: calls.length - toProvider - sweeps, sweeps };
}

async function foreseen({ process }: Calls) {
  const [plan] = await process().engine.plan(["payments-api"], { requested: "rotate" });
  return plan?.calls;
}

test("a rotation with one consumer makes these calls, each for its reason, and no others", async () => {
  const calls = await onAws();
  await calls.process().now();
  calls.made();
  expect(await calls.process().now()).toMatchObject({ outcome: "deleted" });
  const together = (...names: string[]) => names.sort();
  const made = calls.made();
  const next = (count: number) => made.splice(0, count).sort();
  // Whose secret it is and what is in it; whether the old key is ours and the consumer well.
  expect(next(4)).toEqual(together("describeSecret", "getSecretValue", "GET /keys/HASH", "consumer"));
  expect(next(1)).toEqual(["POST /keys"]);
  expect(next(1)).toEqual(["putSecretValue"]);
  // Reads back what was written.
  expect(next(1)).toEqual(["getSecretValue"]);
  // The new key answers, is what was asked for, and bears what hangs on the old one; nobody has changed the secret.
  expect(next(4)).toEqual(
    together("GET /key", "GET /keys/HASH", "GET /guardrails/assignments/keys", "describeSecret"),
  );
  // AWSCURRENT moves; the rotation's label goes while the consumer is asked already.
  expect(next(1)).toEqual(["updateSecretVersionStage"]);
  expect(next(3)).toEqual(together("updateSecretVersionStage", "consumer", "describeSecret"));
  expect(next(1)).toEqual(["PATCH /keys/HASH"]);
  // The old key is refused, and is not current.
  expect(next(2)).toEqual(together("GET /key", "describeSecret"));
  expect(next(1)).toEqual(["DELETE /keys/HASH"]);
  // The old version's label goes; the default workspace and the key's own are walked for lost keys.
  expect(next(3)).toEqual(together("updateSecretVersionStage", "GET /keys", "GET /keys"));
  expect(made).toEqual([]);
});

test("plan says how many calls a rotation makes", async () => {
  const calls = await onAws();
  await calls.process().now();
  const plan = await foreseen(calls);
  calls.made();
  await calls.process().now();
  expect(counted(calls.made())).toEqual(plan);
});

test("plan says how many calls a first key takes", async () => {
  const calls = await onAws({}, false);
  const plan = await foreseen(calls);
  calls.made();
  expect(await calls.process().now()).toMatchObject({ outcome: "completed" });
  expect(counted(calls.made())).toEqual(plan);
});

test("plan says how many calls a rotation in Kubernetes makes", async () => {
  const calls = await onKubernetes();
  const first = await foreseen(calls);
  calls.made();
  await calls.process().now();
  expect(counted(calls.made())).toEqual(first);
  const plan = await foreseen(calls);
  calls.made();
  expect(await calls.process().now()).toMatchObject({ outcome: "deleted" });
  expect(counted(calls.made())).toEqual(plan);
});

test.each([
  ["a threshold", { confirm: { ...NO_WAITS.confirm, successThreshold: 3 } }],
  ["an overlap", { retire: { after: "10m", watch: "0s" } }],
  ["a watch", { retire: { watch: "10m" } }],
  ["a soak", { retire: { watch: "0s", keepDisabledFor: "10m" } }],
  ["no consumers", { consumers: "none" }],
])("with %s a rotation makes no fewer calls than plan says", async (_, key) => {
  const calls = await onAws(key);
  await calls.process().now();
  const plan = await foreseen(calls);
  calls.made();
  expect(await calls.process().now()).toMatchObject({ outcome: "deleted" });
  const made = counted(calls.made());
  for (const kind of ["provider", "store", "sweeps"] as const)
    expect(made[kind]).toBeGreaterThanOrEqual(plan?.[kind] ?? Number.NaN);
});
