import { describe, expect, test } from "vitest";
import { DAY, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const YEAR = 365 * DAY;
const rotations = (world: Scenario) => world.sent("POST").length;

/** A pass in a new process every hour. */
async function heartbeats(world: Scenario, lasting: number, every = HOUR): Promise<void> {
  for (const end = world.clock.now() + lasting; world.clock.now() < end; ) {
    await world.clock.sleep(every);
    await world.process().once({ within: 10 * MINUTE });
  }
}

async function expectOneKey(world: Scenario): Promise<void> {
  expect(world.model.allKeys().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  expect(world.violations).toEqual([]);
}

describe.each([{ every: "30d" }, "0 12 9 * *"])("a key that is rotated by %o", (schedule) => {
  test.each([
    ["ten minutes", 10 * MINUTE],
    ["five hours", 5 * HOUR],
    ["a year", YEAR],
  ])("is rotated once a period, whatever our clock does by %s in between", async (_, ms) => {
    const world = await scenario({ key: { schedule } });
    await world.process().now();
    const { next } = await world.process().status();
    for (const ahead of [ms, -ms, -ms, ms]) {
      await heartbeats(world, DAY);
      world.ahead = ahead;
      await heartbeats(world, DAY);
      world.ahead = 0;
    }
    expect(rotations(world)).toBe(1);
    await world.process().once();
    expect((await world.process().status()).next).toEqual(next);
    await heartbeats(world, (next?.at ?? 0) - world.clock.now() - 2 * HOUR);
    expect(rotations(world)).toBe(1);
    await heartbeats(world, DAY);
    expect(rotations(world)).toBe(2);
    await expectOneKey(world);
  });

  test("is rotated within a period of a clock that was a year ahead, the provider's too", async () => {
    const world = await scenario({ key: { schedule } });
    world.ahead = YEAR;
    world.skewMs = YEAR;
    await world.process().now();
    world.ahead = 0;
    world.skewMs = 0;
    await heartbeats(world, 31 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(2);
    await heartbeats(world, 10 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(2);
    await expectOneKey(world);
  });
});

describe.each([
  ["1970", Date.parse("1970-01-01T00:00:12Z")],
  ["2100", Date.parse("2100-01-01T00:00:00Z")],
])("a process that starts with its clock at %s", (_, instant) => {
  const wrong = (world: Scenario) => {
    world.ahead = instant - world.clock.now();
  };

  test("takes nothing up, says what is wrong, and goes on as if nothing had been once it is set", async () => {
    const world = await scenario({ key: { schedule: { every: "30d" } } });
    wrong(world);
    await heartbeats(world, 3 * HOUR);
    expect(await world.process().status()).toMatchObject({
      state: "blocked",
      message: expect.stringContaining("set the clock"),
    });
    expect((await world.process().status()).current).toBeUndefined();
    world.ahead = 0;
    await heartbeats(world, 29 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(0);
    await heartbeats(world, 2 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(1);
    await expectOneKey(world);
  });

  test("neither starts, nor ends a soak, nor forgets when the next rotation is due", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "7d" } } });
    const { oldHash } = await world.process().now({ until: "completed" });
    const { next, retiring } = await world.process().status();
    wrong(world);
    await heartbeats(world, 3 * HOUR);
    world.ahead = 0;
    await world.process().once({ within: MINUTE });
    expect(await world.process().status()).toMatchObject({ next, retiring });
    expect(world.revoked).toEqual([`disable ${oldHash}`]);
    await heartbeats(world, 8 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(1);
    await expectOneKey(world);
  });

  test("provisions no first key", async () => {
    const world = await scenario({ existing: false });
    wrong(world);
    await heartbeats(world, 3 * HOUR);
    expect(rotations(world)).toBe(0);
    world.ahead = 0;
    await heartbeats(world, 3 * HOUR);
    expect(rotations(world)).toBe(1);
    await expectOneKey(world);
  });
});

describe("a clock that is more than five minutes off", () => {
  test.each([6 * MINUTE, -6 * MINUTE])(
    "by %d ms, when a killed process had planned a rotation: holds before the create, and goes on by itself",
    async (ms) => {
      const world = await scenario();
      const planning = world.process({
        before: async (call) => {
          const { rotation } = await world.process().status();
          if (call !== "provider.send" || rotation?.phase !== "planned") return;
          planning.kill();
          await new Promise(() => {});
        },
      });
      void planning.now();
      await world.clock.sleep(MINUTE);
      expect((await world.process().status()).rotation?.phase).toBe("planned");
      world.ahead = ms;
      expect(await world.process().once()).toMatchObject([
        { outcome: "held", message: expect.stringContaining("6 minutes apart") },
      ]);
      await heartbeats(world, 2 * HOUR);
      expect(rotations(world)).toBe(0);
      expect((await world.process().kinds()).filter((kind) => kind === "hold")).toHaveLength(1);
      world.ahead = 0;
      expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
      await expectOneKey(world);
    },
  );

  test.each([
    ["the overlap", { after: "6h", watch: "1s" }],
    ["the soak", { watch: "1s", keepDisabledFor: "6h" }],
  ])("in the middle of a pass, in %s: what was heard before the jump does not count", async (_, retire) => {
    const world = await scenario({ key: { retire } });
    const following = world.process().now({ within: 400 * DAY });
    await world.clock.sleep(HOUR);
    const before = [...world.revoked];
    world.ahead = YEAR;
    await world.clock.sleep(HOUR);
    expect(world.revoked).toEqual(before);
    world.ahead = 0;
    await following;
    await heartbeats(world, 6 * HOUR);
    await expectOneKey(world);
  });

  test("for the length of one look: what was found then is looked for again", async () => {
    const world = await scenario();
    let jumps = 0;
    // Drawn when the hour of the pass is taken; a look is dated after that and before its first call goes out.
    world.fraction = () => {
      world.ahead = jumps < 40 ? HOUR : 0;
      return world.random.fraction();
    };
    const process = world.process({
      before: async (call) => {
        if (call === "probe.send" || call === "store.observe" || call === "provider.send") {
          if (world.ahead > 0) jumps += 1;
          world.ahead = 0;
        }
        if (call === "journal.read") world.ahead = 0;
      },
    });
    expect(await process.now({ within: 10 * MINUTE })).toMatchObject({ outcome: "deleted" });
    expect(jumps).toBeGreaterThan(5);
    await expectOneKey(world);
  });

  test("set back: a pass does not last longer for it", async () => {
    const world = await scenario({ key: { confirm: { timeout: "90d", interval: "5s" } } });
    world.payments.stuck();
    const began = world.clock.now();
    const pass = world.process().now({ within: 10 * MINUTE });
    await world.clock.sleep(MINUTE);
    world.ahead = -30 * DAY;
    world.skewMs = -30 * DAY;
    expect(await pass).toMatchObject({ outcome: "waiting" });
    expect(world.clock.now() - began).toBeLessThan(11 * MINUTE);
  });

  test("by less than five minutes it matters to nobody", async () => {
    const world = await scenario();
    world.ahead = 4 * MINUTE;
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    world.ahead = -4 * MINUTE;
    await world.clock.sleep(MINUTE);
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    await expectOneKey(world);
  });
});

test("a clock set back by seconds while a rotation by cron runs does not let the same instant start another", async () => {
  const world = await scenario({ key: { schedule: "0 13 * * *" } });
  await world.process().once();
  await world.clock.sleep(HOUR);
  const process = world.process({
    before: async (call, args) => {
      if (call === "provider.send" && (args[0] as { method: string }).method === "POST")
        world.clock.set(world.clock.now() - 15_000);
    },
  });
  await process.once({ within: 10 * MINUTE });
  await heartbeats(world, 3 * HOUR);
  expect(rotations(world)).toBe(1);
  await heartbeats(world, DAY);
  expect(rotations(world)).toBe(2);
});
