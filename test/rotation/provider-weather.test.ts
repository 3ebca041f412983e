import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { DAY, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

/** Passes for so long, each cut short by its deadline, as a CronJob makes them. */
async function heartbeats(world: Scenario, count: number): Promise<void> {
  for (let beat = 0; beat < count; beat += 1) {
    await world.process().once({ within: 5 * MINUTE });
    await world.clock.sleep(10 * MINUTE);
  }
}

function expectGoodEnd(world: Scenario): void {
  expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  expect(world.payments.serving()).toEqual([world.current()]);
  expect(world.violations).toEqual([]);
}

describe("the provider is down for hours", () => {
  test("before the start: blocked, and started once it is back", async () => {
    const world = await scenario();
    await world.process().once();
    await world.clock.sleep(31 * DAY);
    world.faults.add("*:html-503:all");
    await heartbeats(world, 6);
    expect(world.sent("POST")).toHaveLength(0);
    expect((await world.process().status()).state).toBe("blocked");
    world.calm();
    await heartbeats(world, 1);
    expectGoodEnd(world);
  });

  test.each(["create", "current", "update", "delete"])(
    "from its %s on: the old key stays valid, and it ends once it is back",
    async (operation) => {
      const world = await scenario();
      await world.process().once();
      world.faults.add(`${operation}:500:all`);
      await world.process().now({ within: 5 * MINUTE });
      await heartbeats(world, 6);
      expect(world.payments.serving()).toEqual([world.current()]);
      expect(world.violations).toEqual([]);
      world.calm();
      await world.process().ask("approve");
      await world.clock.sleep(2 * HOUR);
      await heartbeats(world, 3);
      expectGoodEnd(world);
    },
  );

  test("calls are few and ever farther apart", async () => {
    const world = await scenario();
    await world.process().once();
    world.faults.add("update:500:all");
    await world.process().now({ within: 6 * HOUR });
    expect(world.sent("PATCH").length).toBeLessThan(6 * 12 * 4 + 40);
    const gaps = world.sent("PATCH").map(({ at }) => at);
    expect((gaps.at(-1) ?? 0) - (gaps.at(-5) ?? 0)).toBeGreaterThan(3 * MINUTE);
  });
});

describe("the store is down for hours", () => {
  const down = new RotationError("unreachable", "the store is not there");

  test("before the start: blocked, and nothing is created", async () => {
    const world = await scenario();
    await world.process().once();
    await world.clock.sleep(31 * DAY);
    world.storeFails = down;
    await heartbeats(world, 3);
    expect(world.sent("POST")).toHaveLength(0);
    world.storeFails = undefined;
    await heartbeats(world, 1);
    expectGoodEnd(world);
  });

  test.each([0, 50, 400, 2_000])("from %d ms into a rotation on: it ends once it is back", async (ms) => {
    const world = await scenario();
    await world.process().once();
    const running = world.process().now({ within: 10 * MINUTE });
    await world.clock.sleep(ms);
    world.storeFails = down;
    await running;
    await heartbeats(world, 6);
    expect(world.violations).toEqual([]);
    world.storeFails = undefined;
    await heartbeats(world, 3);
    expectGoodEnd(world);
  });

  test("just after the create: the plaintext is kept trying for, and what cannot be stored is deleted", async () => {
    const world = await scenario();
    await world.process().once();
    const process = world.process({
      before: async (call) => {
        if (call === "store.stage") world.storeFails = down;
      },
    });
    await process.now({ within: 10 * MINUTE });
    expect(world.sent("POST")).toHaveLength(1);
    world.storeFails = undefined;
    await heartbeats(world, 3);
    expect(await process.kinds()).toContain("lost");
    expectGoodEnd(world);
  });
});

describe("the management key", () => {
  test.each([
    ["401", "revoked"],
    ["403", "an ordinary key"],
  ])(
    "refused with %s before the start: fails early, says what to do, and nothing is half done",
    async (status) => {
      const world = await scenario();
      if (status === "401") world.model.revokeManagementKey(world.managementKey);
      else world.faults.add("get:403:all");
      const result = await world.process().now();
      expect(result).toMatchObject({ outcome: "blocked" });
      expect(result.message).toContain("management key");
      expect(world.sent("POST")).toHaveLength(0);
      expect(world.backing.get("payments")?.record?.staged ?? []).toEqual([]);
    },
  );

  test("revoked midway: it waits, both keys live, and it ends with the new one", async () => {
    const world = await scenario();
    world.payments.stuck();
    await world.process().now({ within: MINUTE });
    world.model.revokeManagementKey(world.managementKey);
    world.payments.stuck(false);
    await heartbeats(world, 3);
    expect(world.live()).toHaveLength(2);
    const status = await world.process().status();
    expect(status.rotation?.error).toMatchObject({
      code: "unauthorized",
      hint: expect.stringContaining("MANAGEMENT"),
    });
    world.managementKey = world.model.addManagementKey();
    await heartbeats(world, 1);
    expectGoodEnd(world);
  });
});

describe("a provider that takes its time", () => {
  test.each(["429:2", "429-retry-after-7:2"])("throttling (%s) is waited out", async (fault) => {
    const world = await scenario({ faults: [`*:${fault}`] });
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expectGoodEnd(world);
  });

  test("a new key that is accepted only after a minute is waited for before it is promoted", async () => {
    const world = await scenario();
    world.model.knobs.activationDelay = MINUTE;
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expectGoodEnd(world);
  });

  test("a new key that is never accepted is given up and deleted, and the old one untouched", async () => {
    const world = await scenario();
    const first = world.current();
    world.model.knobs.activationDelay = 365 * DAY;
    expect(await world.process().now()).toMatchObject({
      outcome: "failed",
      message: expect.stringContaining("refusing"),
    });
    await world.process().once();
    expect(world.current()).toBe(first);
    expect(world.model.allKeys()).toHaveLength(1);
    expectGoodEnd(world);
  });

  test("a disabled key that is accepted for another minute is waited for", async () => {
    const world = await scenario();
    world.model.knobs.disableDelay = MINUTE;
    const started = world.clock.now();
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(world.clock.now() - started).toBeGreaterThan(MINUTE);
    expectGoodEnd(world);
  });

  test("a disabled key that goes on being accepted is held for a person", async () => {
    const world = await scenario();
    world.model.knobs.disableDelay = DAY;
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    expect((await world.process().status()).rotation?.held?.reason).toBe("still-accepted");
    await world.clock.sleep(2 * DAY);
    expect(await world.process().ask("approve")).toMatchObject({ outcome: "deleted" });
    expectGoodEnd(world);
  });

  test("an answer in the older documented shape is enough", async () => {
    const world = await scenario();
    world.model.knobs.shape = "seed";
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expectGoodEnd(world);
  });
});
