import { describe, expect, test } from "vitest";
import { DAY, HOUR, hashOf, MINUTE, type Process, type Scenario, scenario } from "./scenario.ts";

async function expectOneKey(world: Scenario, told?: string): Promise<void> {
  expect(world.violations, told).toEqual([]);
  expect(
    world.model.allKeys().map((key) => key.hash),
    told,
  ).toEqual([hashOf(world.current())]);
  expect(world.payments.serving(), told).toEqual([world.current()]);
}

const completed = async (world: Scenario) =>
  (await world.process().kinds()).filter((kind) => kind === "completed").length;

describe("two workers whose clocks disagree", () => {
  test.each([
    ["three hours ahead", 3 * HOUR],
    ["three hours behind", -3 * HOUR],
    ["a year ahead", 365 * DAY],
    ["a year behind", -365 * DAY],
  ])("by one that is %s: each period one rotation, by the one that is right", async (_, ahead) => {
    const world = await scenario({
      key: { schedule: { every: "2d" }, retire: { after: "10m", watch: "1m", keepDisabledFor: "12h" } },
    });
    const beats = async (process: Process) => {
      for (const end = world.clock.now() + 9 * DAY; world.clock.now() < end; ) {
        await process.once({ within: 2 * MINUTE });
        await world.clock.sleep(10 * MINUTE);
      }
    };
    await Promise.all([beats(world.process()), beats(world.process({ ahead }))]);
    expect(await completed(world)).toBe(4);
    expect(world.violations).toEqual([]);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.payments.serving()).toEqual([world.current()]);
  });

  test("a lease taken by a clock that is a year ahead lasts no longer than any other", async () => {
    const world = await scenario();
    const stopped = Promise.withResolvers<void>();
    const hanging = world.process({
      ahead: 365 * DAY,
      before: async (call) => {
        if (call !== "store.observe") return;
        stopped.resolve();
        await new Promise(() => {});
      },
    });
    void hanging.now();
    await stopped.promise;
    expect(await world.process().now({ within: 5 * MINUTE })).toMatchObject({ outcome: "deleted" });
    await expectOneKey(world);
  });

  test("a worker that is at work keeps its lease, whatever another's clock makes of it", async () => {
    const world = await scenario({ key: { retire: { after: "20m", watch: "1s" } } });
    const working = world.process({ ahead: 4 * MINUTE }).now();
    await world.clock.sleep(MINUTE);
    for (let pass = 0; pass < 10; pass += 1) {
      await world.process().once({ within: 0 });
      await world.clock.sleep(MINUTE);
    }
    expect(await working).toMatchObject({ outcome: "deleted" });
    await expectOneKey(world);
  });
});

test("a worker whose clock is set back renews its lease all the same", async () => {
  const world = await scenario({ key: { retire: { after: "20m", watch: "1s" } } });
  const working = world.process().now();
  await world.clock.sleep(MINUTE);
  world.ahead = -5 * HOUR;
  world.skewMs = -5 * HOUR;
  for (let pass = 0; pass < 15; pass += 1) {
    await world.process().once({ within: 0 });
    await world.clock.sleep(MINUTE);
  }
  expect(await working).toMatchObject({ outcome: "deleted" });
  const events = await world.process().engine.history({});
  const first = events.find(({ kind }) => kind === "start")?.epoch;
  expect(new Set(events.filter(({ rotation }) => rotation).map(({ epoch }) => epoch))).toEqual(
    new Set([first]),
  );
});

/** Calls that change something outside: pauses.test.ts pauses at those. */
const changes = (call: string, [request]: readonly unknown[]) =>
  /^store\.(stage|promote|fence|drop|claim)$/.test(call) ||
  (call === "provider.send" && (request as { method: string }).method !== "GET");

/** Runs a rotation in a process that is paused for so long before its `at`-th call that changes nothing outside; another finishes it meanwhile. */
async function pausedAt(at: number, lasting: number, meanwhile: (process: Process) => Promise<unknown>) {
  const world = await scenario({ key: { retire: { after: "2s", watch: "2s" } } });
  const reached = Promise.withResolvers<void>();
  const wake = Promise.withResolvers<void>();
  let calls = 0;
  let where = "";
  const sleeper = world.process({
    before: async (call, args) => {
      if (changes(call, args)) return;
      calls += 1;
      if (calls !== at) return;
      where = call;
      reached.resolve();
      await wake.promise;
    },
  });
  await world.process().engine.request("payments-api", { kind: "rotate", actor: "test" });
  const running = sleeper.once({ within: 5 * MINUTE });
  const paused = await Promise.race([running.then(() => false), reached.promise.then(() => true)]);
  if (!paused) return undefined;
  await world.clock.sleep(5 * MINUTE);
  await meanwhile(world.process());
  await world.clock.sleep(lasting);
  const changed = () => world.sent("POST").length + world.revoked.length;
  const before = changed();
  wake.resolve();
  await running;
  const late = changed() - before;
  return { world, where, late };
}

describe.each([
  ["carries on", (process: Process) => process.once()],
  [
    "rolls back and rotates",
    async (process: Process) => [await process.ask("rollback"), await process.now()],
  ],
] as const)(
  "a worker that is paused for days at a read, a sweep or a sleep, while another %s",
  (_, meanwhile) => {
    test("does nothing more when it wakes but what is to be done then", async () => {
      const places = new Set<string>();
      let at = 1;
      for (; ; at += 1) {
        const paused = await pausedAt(at, 3 * DAY, meanwhile);
        if (paused === undefined) break;
        const { world, where, late } = paused;
        places.add(where);
        const told = `paused before call ${at} (${where})`;
        await world.clock.sleep(HOUR);
        await world.process().once();
        await expectOneKey(world, told);
        expect(late, told).toBe(0);
      }
      expect([...places]).toEqual(
        expect.arrayContaining([
          "journal.read",
          "store.observe",
          "provider.send",
          "probe.send",
          "clock.sleep",
        ]),
      );
      expect(at).toBeGreaterThan(50);
    });
  },
);
