import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { DAY, HOUR, hashOf, MINUTE, policyOf, type Scenario, scenario } from "./scenario.ts";

const rotations = (world: Scenario) => world.sent("POST").length;

/** A second key, whose consumers nobody asks. */
const OTHER_KEY = {
  name: "other-api",
  provider: "openrouter",
  schedule: { every: "30d" },
  store: { use: "local", secret: "other", field: "K", create: true },
  consumers: "none",
  retire: { after: "1s" },
};

/** A process whose policy is edited while it runs. */
function running(world: Scenario) {
  const process = world.process();
  return {
    ...process,
    process,
    reload: (...keys: Record<string, unknown>[]) => process.engine.reload(policyOf(keys)),
  };
}

describe("a policy that is reloaded", () => {
  test("a key that it adds is rotated by the next pass; one that it removes is left alone", async () => {
    const world = await scenario();
    const { process, reload } = running(world);
    await process.once();
    reload(OTHER_KEY);
    expect(await process.once()).toMatchObject([{ key: "other-api", outcome: "completed" }]);
    await world.clock.sleep(31 * DAY);
    await process.once();
    expect(rotations(world)).toBe(2);
    expect((await process.engine.status()).map(({ key }) => key)).toEqual(["other-api"]);
    await expect(process.engine.request("payments-api", { kind: "rotate", actor: "ann" })).rejects.toThrow(
      'the policy has no key "payments-api"',
    );
  });

  test("its schedule counts from the next pass on", async () => {
    const world = await scenario();
    const { process, reload } = running(world);
    await process.once();
    await world.clock.sleep(8 * DAY);
    reload({ ...world.key, schedule: { every: "7d" } });
    expect(await process.once()).toMatchObject([{ outcome: "deleted" }]);
    expect(rotations(world)).toBe(1);
  });

  test("suspend acts at once on a pass under way, and its end lets the rotation go on", async () => {
    const world = await scenario({ key: { confirm: { timeout: "1d", interval: "5s" } } });
    const { process, reload } = running(world);
    world.payments.stuck();
    const pass = process.now({ within: 12 * HOUR });
    await world.clock.sleep(MINUTE);
    reload({ ...world.key, suspend: true });
    world.payments.stuck(false);
    expect(await pass).toMatchObject({ outcome: "waiting", message: "confirmed" });
    expect(world.revoked).toEqual([]);
    reload(world.key);
    expect(await process.once()).toMatchObject([{ outcome: "deleted" }]);
    expect(rotations(world)).toBe(1);
    expect(world.violations).toEqual([]);
  });

  test("a rotation in flight ends under the consumers and times that it began with; the next takes the new ones", async () => {
    const world = await scenario({
      key: { confirm: { timeout: "1d", interval: "5s" }, retire: { watch: "10s", keepDisabledFor: "2h" } },
    });
    const { process, reload } = running(world);
    const first = hashOf(world.current());
    world.payments.stuck();
    const pass = process.now({ within: 12 * HOUR, until: "completed" });
    await world.clock.sleep(MINUTE);
    reload({
      ...world.key,
      settings: { limit: 7 },
      consumers: [{ name: "nobody", probe: { http: "http://nobody/" } }],
      confirm: { timeout: "1s", interval: "1s", onTimeout: "rollback" },
      retire: { watch: "10s", keepDisabledFor: "0s" },
    });
    await world.clock.sleep(HOUR);
    world.payments.stuck(false);
    const result = await pass;
    expect(result).toMatchObject({ outcome: "completed", oldHash: first });
    expect(result.deleteAt).toBeGreaterThan(world.clock.now() + HOUR);
    expect(world.live()[0]?.limit).toBe(150);
    reload({ ...world.key, settings: { limit: 7 } });
    expect(await process.now({ within: HOUR, until: "completed" })).toMatchObject({ outcome: "completed" });
    expect(world.live()[0]?.limit).toBe(7);
    expect(world.violations).toEqual([]);
  });

  test("a key that is removed under a pass ends its rotation and its retirement, and is then left alone", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
    const { process, reload } = running(world);
    world.payments.stuck();
    const pass = process.once({ within: 3 * HOUR });
    await process.engine.request("payments-api", { kind: "rotate", actor: "ann" });
    const asked = process.once({ within: 3 * HOUR });
    await world.clock.sleep(MINUTE);
    reload(OTHER_KEY);
    world.payments.stuck(false);
    await Promise.all([pass, asked]);
    await world.clock.sleep(2 * HOUR);
    await process.once();
    await process.once();
    expect(world.live().map(({ hash }) => hash)).toContain(hashOf(world.current()));
    expect(world.model.allKeys()).toHaveLength(2);
    expect(world.violations).toEqual([]);
  });

  test("what failed under the old policy is tried again at once", async () => {
    const world = await scenario();
    const { process, reload } = running(world);
    world.payments.stuck();
    const pass = process.now({ within: 12 * HOUR });
    await world.clock.sleep(MINUTE);
    world.storeFails = new RotationError("unreachable", "the store is away", { retryAfterMs: 10 * HOUR });
    world.payments.stuck(false);
    await world.clock.sleep(MINUTE);
    expect(world.revoked).toEqual([]);
    world.storeFails = undefined;
    reload({ ...world.key, spread: "1s" });
    const since = world.clock.now();
    expect(await pass).toMatchObject({ outcome: "deleted" });
    expect(world.clock.now() - since).toBeLessThan(HOUR);
  });

  test("two passes over one target never overlap, whatever is reloaded between them", async () => {
    const world = await scenario();
    const { process, reload } = running(world);
    world.payments.stuck();
    const first = process.now({ within: HOUR });
    await world.clock.sleep(MINUTE);
    reload({ ...world.key, name: "renamed-api", formerly: ["payments-api"] });
    expect(await process.once()).toMatchObject([{ key: "renamed-api", code: "busy" }]);
    world.payments.stuck(false);
    expect(await first).toMatchObject({ outcome: "deleted" });
    expect(rotations(world)).toBe(1);
    expect(world.violations).toEqual([]);
  });

  test("another installation's is refused, and the old one stays in force", async () => {
    const world = await scenario();
    const { engine } = world.process();
    expect(() => engine.reload(policyOf([OTHER_KEY], "another"))).toThrow(
      expect.objectContaining({ code: "policy-invalid" }),
    );
    expect((await engine.status()).map(({ key }) => key)).toEqual(["payments-api"]);
  });
});
