import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { CHANGES, HOLDS, LOOKS } from "../../src/rotation/reasons.ts";
import { MINUTE, type Scenario, scenario } from "./scenario.ts";

interface Line extends Record<string, unknown> {
  level: string;
  message: string;
}

function lines(world: Scenario, ...levels: string[]): Line[] {
  return world.logged.map((line) => JSON.parse(line) as Line).filter(({ level }) => levels.includes(level));
}

describe("the log of a rotation", () => {
  test("has one line for each step that changes something, with key, rotation, phase, reason and duration", async () => {
    const world = await scenario({ key: { retire: { watch: "1s" } } });
    const process = world.process();
    await process.now();
    const changes = lines(world, "info", "warn", "error");
    const { last } = await process.status();
    const ofTheRotation = changes.filter(({ rotation }) => rotation === last?.rotation);
    expect(ofTheRotation.map(({ phase, reason }) => `${String(phase)}: ${String(reason)}`)).toEqual([
      "planned: rotate",
      "planned: intend",
      "staged: create",
      "verified: verified",
      "promoted: promote",
      "confirmed: confirmed",
      "confirmed: disable",
      "disabled: refused",
      "disabled: completed",
    ]);
    for (const line of changes) {
      const of = line.rotation === undefined ? { target: "local/payments" } : {};
      expect(line).toMatchObject({ key: "payments-api", durationMs: expect.any(Number), ...of });
      expect({ ...CHANGES, ...HOLDS }).toHaveProperty(String(line.reason));
    }
  });

  test("shows looks at the debug level only, those at the consumers with what they have answered", async () => {
    const world = await scenario();
    await world.process().now();
    const looks = lines(world, "debug");
    expect(looks.length).toBeGreaterThan(5);
    for (const line of looks) {
      expect(line).toMatchObject({ key: "payments-api", durationMs: expect.any(Number) });
      expect(LOOKS).toHaveProperty(String(line.reason));
    }
    expect(looks.findLast(({ reason }) => reason === "look-consumers")).toMatchObject({
      consumers: [{ consumer: "payments", confirmed: true }],
    });
  });

  test("has one line for a step that fails, as a warning; the same failure again is for debugging", async () => {
    const world = await scenario();
    const process = world.process();
    world.payments.stuck();
    const pass = process.now({ within: 10 * MINUTE });
    await world.clock.sleep(MINUTE);
    world.storeFails = new RotationError("unreachable", "the store is away", { hint: "look at it" });
    world.payments.stuck(false);
    await world.clock.sleep(5 * MINUTE);
    world.storeFails = undefined;
    await pass;
    const failed = lines(world, "debug", "warn").filter(({ code }) => code === "unreachable");
    expect(failed.filter(({ level }) => level === "warn")).toEqual([
      {
        level: "warn",
        key: "payments-api",
        rotation: expect.any(String),
        phase: "promoted",
        reason: "look-store",
        durationMs: 0,
        code: "unreachable",
        hint: "look at it",
        message: "the store is away",
      },
    ]);
    expect(failed.length).toBeGreaterThan(1);
  });

  test("names the key of the step, where keys share a secret", async () => {
    const key = (name: string, field: string) => ({
      name,
      provider: "openrouter",
      schedule: { every: "30d" },
      store: { use: "local", secret: "shared", field, create: true },
      consumers: "none",
      retire: { after: "1s" },
    });
    const world = await scenario({ keys: [key("one-api", "ONE"), key("two-api", "TWO")], existing: false });
    await world.process().once();
    const due = lines(world, "info").filter(({ reason }) => reason === "scheduled");
    expect(due.map(({ key: name, target }) => ({ name, target }))).toEqual([
      { name: "one-api", target: "local/shared" },
      { name: "two-api", target: "local/shared" },
    ]);
  });
});
