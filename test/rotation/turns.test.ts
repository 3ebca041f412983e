import { expect, it } from "vitest";
import type { PolicySnapshot } from "../../src/journal/document.ts";
import { policySchema } from "../../src/policy/schema.ts";
import { placesOf } from "../../src/rotation/targets.ts";
import { Turns } from "../../src/rotation/turns.ts";

interface Limit {
  requestsPerSecond: number;
  concurrency: number;
}

/** What a policy says of a key in each of two stores. */
function snapshots(rateLimit: Limit): { vault: PolicySnapshot; other: PolicySnapshot } {
  const policy = policySchema.parse({
    version: 1,
    installation: "test",
    providers: { openrouter: { type: "openrouter", managementKey: { env: "KEY" }, rateLimit } },
    stores: { vault: { type: "file", path: "/vault" }, other: { type: "file", path: "/other" } },
    keys: ["vault", "other"].map((store) => ({
      name: store,
      provider: "openrouter",
      schedule: "none",
      store: { use: store, secret: store },
      consumers: "none",
      retire: { after: "1h" },
    })),
  });
  const [vault, other] = placesOf(policy).map(({ snapshot }) => snapshot) as PolicySnapshot[];
  return { vault: vault as PolicySnapshot, other: other as PolicySnapshot };
}

/** Work that lasts until it is let go, in the order in which it began. */
function workload() {
  const began: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (name: string) => () => {
    began.push(name);
    return new Promise<void>((resolve) => ends.set(name, resolve));
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await new Promise(setImmediate);
  };
  return { began, work, end };
}

it.each([
  { limit: { requestsPerSecond: 100, concurrency: 2 }, atOnce: 8, why: "four for each call at a time" },
  { limit: { requestsPerSecond: 1, concurrency: 2 }, atOnce: 5, why: "what the rate lets through in 5 s" },
  { limit: { requestsPerSecond: 0.1, concurrency: 3 }, atOnce: 3, why: "no fewer than may call" },
])("lets $atOnce targets work at a time: $why", async ({ limit, atOnce }) => {
  const turn = new Turns().of(snapshots(limit).vault);
  const { began, work } = workload();
  for (let target = 0; target < 50; target += 1) void turn(false, work(`${target}`));
  await new Promise(setImmediate);
  expect(began).toHaveLength(atOnce);
});

it("ends what has begun before it begins anything else", async () => {
  const turn = new Turns().of(snapshots({ requestsPerSecond: 0.1, concurrency: 1 }).vault);
  const { began, work, end } = workload();
  void turn(false, work("first"));
  void turn(false, work("second"));
  void turn(true, work("one that waited for its consumers"));
  await end("first");
  expect(began).toEqual(["first", "one that waited for its consumers"]);
});

it("is not held up by another store's targets", async () => {
  const turns = new Turns();
  const { vault, other } = snapshots({ requestsPerSecond: 0.1, concurrency: 1 });
  const { began, work } = workload();
  void turns.of(vault)(false, work("hangs"));
  void turns.of(vault)(false, work("waits"));
  void turns.of(other)(false, work("works"));
  await new Promise(setImmediate);
  expect(began).toEqual(["hangs", "works"]);
});

it("takes what a reloaded policy allows", async () => {
  const turns = new Turns();
  const { began, work } = workload();
  const narrow = { requestsPerSecond: 0.1, concurrency: 1 };
  for (const name of ["a", "b", "c"]) void turns.of(snapshots(narrow).vault)(false, work(name));
  void turns.of(snapshots({ ...narrow, concurrency: 3 }).vault)(false, work("d"));
  await new Promise(setImmediate);
  expect(began).toEqual(["a", "b", "c"]);
});
