import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { DAY, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const disables = (world: Scenario) => world.revoked.filter((call) => call.startsWith("disable")).length;

/** A rotation whose disabling of the old key is refused: the management key has lost the right midway. */
async function refused(fault = "update:403:all") {
  const world = await scenario({ key: { retire: { watch: "10s" } } });
  const first = world.current();
  world.faults.add(fault);
  const result = await world.process().now();
  return { world, first, result };
}

describe("a management key that loses a right midway", () => {
  test.each([
    ["403", "forbidden"],
    ["401", "unauthorized"],
  ])("HTTP %s: holds the rotation as %s, with what to do; both keys live", async (status, reason) => {
    const { world, first, result } = await refused(`update:${status}:all`);
    expect(result).toMatchObject({ outcome: "held" });
    expect(result.hint).toContain("rotate approve payments-api");
    expect((await world.process().status()).rotation?.held).toMatchObject({
      reason,
      message: expect.stringContaining(`HTTP ${status}`),
    });
    expect(
      world
        .live()
        .map((key) => key.hash)
        .sort(),
    ).toEqual([hashOf(first), hashOf(world.current())].sort());
    expect(world.violations).toEqual([]);
  });

  test("goes on by itself once it is allowed, and tries no more than every ten minutes until then", async () => {
    const { world } = await refused();
    const before = disables(world);
    for (let pass = 0; pass < 60; pass += 1) {
      await world.clock.sleep(MINUTE);
      await world.process().once({ within: MINUTE });
    }
    expect(disables(world) - before).toBeGreaterThan(3);
    expect(disables(world) - before).toBeLessThan(8);
    expect((await world.process().kinds()).filter((kind) => kind === "hold")).toHaveLength(1);
    world.calm();
    await world.clock.sleep(10 * MINUTE);
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("goes on by itself also after a clock that was a year ahead", async () => {
    const world = await scenario({ key: { retire: { watch: "10s" } }, faults: ["update:403:all"] });
    world.ahead = 365 * DAY;
    world.skewMs = 365 * DAY;
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    world.ahead = 0;
    world.skewMs = 0;
    await world.process().once();
    world.calm();
    await world.clock.sleep(11 * MINUTE);
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
  });

  test("goes on at once when a person approves, and holds again while it is still refused", async () => {
    const { world } = await refused();
    expect(await world.process().ask("approve")).toMatchObject({ outcome: "held" });
    world.calm();
    expect(await world.process().ask("approve")).toMatchObject({ outcome: "deleted" });
    expect(world.violations).toEqual([]);
  });

  test("asks the consumers anew before it disables after all", async () => {
    const { world, first } = await refused();
    world.calm();
    for (const one of world.payments.instances) one.serving = first;
    world.payments.stuck();
    await world.clock.sleep(10 * MINUTE);
    await world.process().once();
    expect(world.model.key(hashOf(first) as string)?.disabled).toBe(false);
    expect(world.violations).toEqual([]);
  });

  test("one refusal among others is weather", async () => {
    const { world, result } = await refused("update:403:2");
    expect(result).toMatchObject({ outcome: "deleted" });
    expect(await world.process().kinds()).not.toContain("hold");
  });

  test("a rollback of the held rotation issues a new key, because a disable was sent", async () => {
    const { world, first } = await refused();
    world.calm();
    expect(await world.process().ask("rollback")).toMatchObject({ outcome: "deleted" });
    await world.clock.sleep(HOUR);
    await world.process().once();
    expect(world.current()).not.toBe(first);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });
});

describe("a store that loses a right midway", () => {
  test("holds before the promotion, and goes on by itself once it is allowed", async () => {
    const world = await scenario();
    const denied = () => {
      throw new RotationError("forbidden", "not allowed to promote");
    };
    let allowed = false;
    const process = world.process({
      before: async (call) => {
        if (call === "store.promote" && !allowed) denied();
      },
    });
    expect(await process.now()).toMatchObject({ outcome: "held" });
    expect((await process.status()).rotation).toMatchObject({
      phase: "verified",
      held: { reason: "forbidden" },
    });
    allowed = true;
    await world.clock.sleep(10 * MINUTE);
    expect(await process.once()).toMatchObject([{ outcome: "deleted" }]);
    const kinds = await process.kinds();
    expect(kinds.indexOf("release")).toBeLessThan(kinds.indexOf("confirmed"));
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });
});
