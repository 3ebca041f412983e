import { describe, expect, test } from "vitest";
import { DAY, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const rotations = (world: Scenario) => world.sent("POST").length;

/** A heartbeat for so long: a pass in a new process every `every` milliseconds. */
async function heartbeats(world: Scenario, lasting: number, every = HOUR): Promise<void> {
  const end = world.clock.now() + lasting;
  while (world.clock.now() < end) {
    await world.clock.sleep(every);
    await world.process().once({ within: 10 * MINUTE });
  }
}

describe("when a key is due", () => {
  test("every: so long after the current key was made", async () => {
    const world = await scenario({ key: { schedule: { every: "7d" } } });
    await heartbeats(world, 6.5 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(0);
    await heartbeats(world, DAY, 6 * HOUR);
    expect(rotations(world)).toBe(1);
    await heartbeats(world, 6 * DAY, 6 * HOUR);
    expect(rotations(world)).toBe(1);
  });

  test("cron: at its instants, in the policy's time zone, once each however often a pass runs", async () => {
    const world = await scenario({ key: { schedule: "0 10 * * 2", timezone: "Europe/Berlin" } });
    await world.process().once();
    const { next } = await world.process().status();
    expect(new Date(next?.at ?? 0).toISOString()).toBe("2027-03-16T09:00:00.000Z");
    await heartbeats(world, 6 * DAY);
    expect(rotations(world)).toBe(1);
    expect(new Date((await world.process().status()).next?.at ?? 0).toISOString()).toBe(
      "2027-03-23T09:00:00.000Z",
    );
  });

  test("jitter is drawn once", async () => {
    const world = await scenario({ key: { schedule: { every: "7d" }, spread: "12h" } });
    await world.process().once();
    const first = (await world.process().status()).next?.at ?? 0;
    await heartbeats(world, DAY);
    expect((await world.process().status()).next?.at).toBe(first);
    expect(first).toBeGreaterThan(world.clock.now() + 5 * DAY);
    expect(first).toBeLessThan(world.clock.now() + 7 * DAY);
  });

  test("missed runs are made up for by one rotation", async () => {
    const world = await scenario({ key: { schedule: { every: "1d" } } });
    await world.process().once();
    await world.clock.sleep(10 * DAY);
    expect(await world.process().status()).toMatchObject({ state: "overdue" });
    await world.process().once();
    await world.process().once();
    expect(rotations(world)).toBe(1);
    expect(await world.process().status()).toMatchObject({ state: "ok" });
  });

  test("none: never by itself, by hand at any time", async () => {
    const world = await scenario({ key: { schedule: "none" } });
    await heartbeats(world, 90 * DAY, 10 * DAY);
    expect(rotations(world)).toBe(0);
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
  });

  test("--no-start finishes what is in flight and starts nothing", async () => {
    const world = await scenario();
    await world.process().now({ within: 0 });
    await world.process().once({ start: false });
    expect(rotations(world)).toBe(1);
    await world.clock.sleep(31 * DAY);
    await world.process().once({ start: false });
    expect(rotations(world)).toBe(1);
  });
});

describe("R5: never due too late", () => {
  const EXPIRING = { schedule: { every: "90d" }, settings: { expiresAfter: "30d" }, renewBefore: "10d" };

  test("an expiry comes before the schedule", async () => {
    const world = await scenario({ key: EXPIRING });
    await world.process().now();
    expect(await world.process().status()).toMatchObject({ next: { why: "expiry" } });
    await world.clock.sleep(21 * DAY);
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
    expect(world.violations).toEqual([]);
  });

  test("a reverted rotation is tried again after a journalled backoff that doubles, and a success ends it", async () => {
    const world = await scenario({
      key: {
        confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" },
        retry: { after: "1h", max: "8h" },
      },
    });
    world.payments.stuck();
    await world.process().now();
    const waits: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { next } = await world.process().status();
      expect(next?.why).toBe("retry");
      waits.push((next?.at ?? 0) - world.clock.now());
      await world.process().once();
      expect(rotations(world)).toBe(count + 1);
      await world.clock.sleep((next?.at ?? 0) - world.clock.now());
      await world.process().once();
    }
    expect(waits[1]).toBeGreaterThan(waits[0] ?? 0);
    expect(waits[2]).toBeGreaterThan(waits[1] ?? 0);
    world.payments.stuck(false);
    await world.clock.sleep(8 * HOUR);
    await world.process().once();
    expect(await world.process().status()).toMatchObject({ state: "ok", next: { why: "schedule" } });
    expect(world.violations).toEqual([]);
  });

  test("a backoff does not outlast the current key", async () => {
    const world = await scenario({
      key: { ...EXPIRING, retry: { after: "30d", max: "30d" } },
    });
    await world.process().now();
    const expiresAt = Date.parse(world.live()[0]?.expiresAt ?? "");
    await world.clock.sleep(21 * DAY);
    world.faults.add("create:402");
    await world.process().once();
    const { next } = await world.process().status();
    expect(next?.at).toBeLessThan(expiresAt);
  });

  test("there is no revert to a key that is about to expire", async () => {
    const world = await scenario({
      key: { ...EXPIRING, confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" } },
    });
    await world.process().now();
    const expiring = world.current();
    await world.clock.sleep(21 * DAY);
    world.payments.stuck();
    expect(await world.process().once()).toMatchObject([{ outcome: "held" }]);
    expect(world.current()).not.toBe(expiring);
  });

  test("a rollback to a key that is about to expire issues a new one", async () => {
    const world = await scenario({ key: { ...EXPIRING, confirm: { timeout: "5s", interval: "5s" } } });
    await world.process().now();
    const expiring = world.current();
    await world.clock.sleep(21 * DAY);
    world.payments.stuck();
    await world.process().once();
    world.payments.stuck(false);
    expect(await world.process().ask("rollback")).toMatchObject({ outcome: "deleted" });
    expect(world.current()).not.toBe(expiring);
  });

  test("a held rotation yields when the current key nears its expiry", async () => {
    const world = await scenario({ key: { ...EXPIRING, confirm: { timeout: "5s", interval: "5s" } } });
    await world.process().now();
    await world.clock.sleep(10 * DAY);
    world.payments.stuck();
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    const held = world.current();
    await world.clock.sleep(21 * DAY);
    world.payments.stuck(false);
    world.payments.settle();
    await world.process().once();
    await world.process().once();
    expect(world.current()).not.toBe(held);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("so does one that is held because its creates went unanswered", async () => {
    const world = await scenario({ key: EXPIRING });
    await world.process().now();
    await world.clock.sleep(10 * DAY);
    for (let count = 0; count < 3; count += 1) world.faults.add("create:reset");
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    await world.clock.sleep(11 * DAY);
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
  });
});

describe("windows and suspension", () => {
  const DENY = { windows: [{ kind: "deny", schedule: "0 0 * * *", duration: "20h" }] };

  test("nothing is started in a deny window; at its end it is", async () => {
    const world = await scenario({ key: { ...DENY, schedule: { every: "1d" } } });
    await world.clock.sleep(DAY);
    await world.process().once({ within: MINUTE });
    expect(rotations(world)).toBe(0);
    await heartbeats(world, 9 * HOUR);
    expect(rotations(world)).toBe(1);
  });

  test("nothing is disabled in a deny window, and a revert may go on", async () => {
    const world = await scenario({
      key: {
        windows: [{ kind: "deny", schedule: "30 12 * * *", duration: "3h" }],
        retire: { after: "1h", watch: "1s" },
      },
    });
    await world.process().now({ within: 2 * HOUR });
    expect(world.revoked).toEqual([]);
    const first = (await world.process().status()).rotation?.oldHash;
    expect(await world.process().ask("rollback")).toMatchObject({ outcome: "reverted" });
    expect(hashOf(world.current())).toBe(first);
  });

  test("suspend leaves a key alone, also when asked by hand", async () => {
    const world = await scenario();
    await world.process().once();
    world.setPolicy([{ ...world.key, suspend: true }]);
    await world.clock.sleep(31 * DAY);
    await world.process().once();
    expect(await world.process().now()).toMatchObject({ outcome: "blocked" });
    expect(rotations(world)).toBe(0);
    expect(await world.process().status()).toMatchObject({ state: "suspended" });
  });
});

describe("a policy that is edited midway", () => {
  test("the rotation ends under its own policy; the next runs under the new one", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
    world.payments.stuck();
    await world.process().now({ within: 2 * MINUTE });
    world.setPolicy([
      {
        ...world.key,
        settings: { limit: 7 },
        consumers: [{ name: "nobody", probe: { http: "http://nobody/" } }],
      },
    ]);
    world.payments.stuck(false);
    expect(await world.process().once({ until: "completed" })).toMatchObject([{ outcome: "completed" }]);
    expect(world.live()[0]?.limit).toBe(150);
    expect(world.violations).toEqual([]);
  });

  test("a key removed midway ends its rotation and retirement, and is then left alone", async () => {
    const other = {
      name: "other-api",
      provider: "openrouter",
      schedule: "none",
      store: { use: "local", secret: "other", field: "K" },
      consumers: "none",
      retire: { after: "1s" },
    };
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
    await world.process().now({ within: 0 });
    world.setPolicy([other]);
    await world.process().once({ start: false });
    await world.clock.sleep(2 * HOUR);
    await world.process().once({ start: false });
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.model.allKeys()).toHaveLength(1);
    await world.clock.sleep(60 * DAY);
    await world.process().once({ start: false });
    expect(rotations(world)).toBe(1);
  });
});

describe("R15: clocks lie", () => {
  test("a clock set back does not make a wait longer than it is", async () => {
    const world = await scenario({ key: { retire: { after: "1h", watch: "1s", keepDisabledFor: "1h" } } });
    await world.process().now({ within: 10 * MINUTE });
    world.clock.set(world.clock.now() - 30 * DAY);
    await world.process().once({ within: 3 * HOUR });
    expect((await world.process().status()).last?.outcome).toBe("completed");
    expect((await world.process().status()).retiring).toEqual([]);
    expect(world.violations).toEqual([]);
  });

  test("a clock set back during a pass does not keep it from ending", async () => {
    const world = await scenario({ key: { retire: { watch: "10m" } } });
    const following = world.process().now({ within: 3 * HOUR });
    await world.clock.sleep(MINUTE);
    world.clock.set(world.clock.now() - 2 * HOUR);
    expect(await following).toMatchObject({ outcome: "deleted" });
    expect(world.model.requests.length).toBeLessThan(60);
  });

  test("a clock set back does not make the journal be written again and again", async () => {
    const world = await scenario();
    await world.process().now();
    world.clock.set(world.clock.now() - DAY);
    await heartbeats(world, 5 * HOUR, MINUTE * 30);
    const kinds = await world.process().kinds();
    expect(kinds.filter((kind) => kind === "schedule" || kind === "clock").length).toBeLessThan(5);
    const next = (await world.process().status()).next?.at ?? 0;
    expect(next - world.clock.now()).toBeLessThan(30 * DAY);
  });

  test("a clock that jumps ahead past the timeout: the consumers are asked before it is judged", async () => {
    const world = await scenario({
      key: { confirm: { timeout: "10m", interval: "5s", onTimeout: "rollback" } },
    });
    const first = world.current();
    world.payments.applyDelay = 20_000;
    const following = world.process().now({ within: 30 * DAY });
    await world.clock.sleep(15_000);
    world.clock.set(world.clock.now() + DAY);
    expect(await following).toMatchObject({ outcome: "deleted" });
    expect(world.current()).not.toBe(first);
    expect(world.violations).toEqual([]);
  });

  test.each([-10 * MINUTE, 10 * MINUTE])(
    "clocks %d ms apart: nothing is created or deleted until they agree",
    async (skew) => {
      const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
      await world.process().now({ until: "completed" });
      await world.clock.sleep(2 * HOUR);
      world.skewMs = skew;
      const process = world.process();
      expect(await process.now()).toMatchObject({
        outcome: "blocked",
        message: expect.stringContaining("minutes apart"),
      });
      expect(world.revoked.filter((call) => call.startsWith("delete"))).toEqual([]);
      expect(rotations(world)).toBe(1);
      world.skewMs = 0;
      await world.clock.sleep(1_000);
      expect(await process.now({ until: "completed" })).toMatchObject({ outcome: "completed" });
      await process.once();
      expect(world.model.allKeys()).toHaveLength(2);
    },
  );
});
