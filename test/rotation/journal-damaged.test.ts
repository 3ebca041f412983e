import { describe, expect, test } from "vitest";
import { DAY, FIELD, hashOf, scenario } from "./scenario.ts";

const KEY = {
  name: "payments-api",
  provider: "openrouter",
  schedule: { every: "30d" },
  store: { use: "local", secret: "payments", field: FIELD },
  consumers: [{ name: "payments", probe: { http: "http://payments/healthz" } }],
  confirm: { timeout: "10m", interval: "5s" },
  retire: { watch: "1s" },
};
const OTHER = {
  ...KEY,
  name: "billing-api",
  store: { use: "local", secret: "billing", field: FIELD },
  consumers: [{ name: "billing", probe: { http: "http://billing/healthz" } }],
};

/** Two keys of two secrets, rotated once; then the journal's entry of the first is cut. */
async function damaged(text = '{"version":1,"keys":') {
  const world = await scenario({ keys: [KEY, OTHER] });
  world.write({ [FIELD]: world.byHand("billing") }, "billing");
  const billing = world.service("billing", 1, { secret: "billing", key: "billing-api" });
  billing.settle();
  const first = hashOf(world.current());
  for (const key of ["payments-api", "billing-api"]) {
    await world.process().engine.request(key, { kind: "rotate", actor: "test" });
    await world.process().once({ keys: [key] });
  }
  const whole = world.journalState.documents.get("local/payments") as string;
  world.journalState.documents.set("local/payments", text);
  return { world, billing, first, whole };
}

const DAMAGE = {
  message: "the journal's entry for local/payments is damaged",
  hint: expect.stringContaining("--take-over"),
};

describe("one key's damaged entry in the journal", () => {
  test("fails that key alone, with what to do; the others are rotated", async () => {
    const { world, billing } = await damaged();
    await world.clock.sleep(31 * DAY);
    const before = { revoked: world.revoked.length, payments: world.current() };
    const results = await world.process().once();
    expect(results).toMatchObject([
      { key: "payments-api", outcome: "failed", ...DAMAGE },
      { key: "billing-api", outcome: "deleted" },
    ]);
    expect(world.current()).toBe(before.payments);
    expect(world.model.accepted(before.payments as string)).toBeDefined();
    expect(billing.serving()).toEqual([world.current(FIELD, "billing")]);
    expect(world.violations).toEqual([]);
    expect(world.journalState.documents.get("local/payments")).toBe('{"version":1,"keys":');
  });

  test("is in status and plan, which show the others as ever", async () => {
    const { world } = await damaged();
    const { engine } = world.process();
    expect(await engine.status()).toMatchObject([
      { key: "payments-api", state: "failed", message: expect.stringContaining("is damaged") },
      { key: "billing-api", state: "ok" },
    ]);
    expect(await engine.plan()).toMatchObject([
      { key: "payments-api", verb: "BLOCKED", why: expect.stringContaining("--take-over") },
      { key: "billing-api", verb: "NOTHING" },
    ]);
    expect(await engine.nextWake()).toBeDefined();
    expect((await engine.history({ key: "payments-api" })).length).toBeGreaterThan(5);
  });

  test("is said once by a process that goes on for long", async () => {
    const { world } = await damaged();
    const process = world.process();
    for (let pass = 0; pass < 5; pass += 1) await process.once();
    const said = world.logged.filter((line) => line.includes("is damaged") && !line.includes('"debug"'));
    expect(said).toHaveLength(1);
  });

  test("does not make identify say of a key that it is none of ours", async () => {
    const { world } = await damaged();
    const { engine } = world.process();
    const billing = `sha256:${hashOf(world.current(FIELD, "billing"))}`;
    expect(await engine.identify(billing)).toMatchObject({ key: "billing-api", state: "current" });
    await expect(engine.identify(`sha256:${"0".repeat(64)}`)).rejects.toMatchObject({ code: "unusable" });
  });

  test("of a key that has left the policy is said as well", async () => {
    const { world } = await damaged();
    world.setPolicy([OTHER]);
    expect(await world.process().once()).toMatchObject([{ key: "billing-api", outcome: "idle" }]);
    expect(world.logged.filter((line) => line.includes("is damaged"))).toHaveLength(1);
  });

  test("is whole again once the journal is restored, and what was asked meanwhile is done", async () => {
    const { world, whole } = await damaged();
    expect(await world.process().now()).toMatchObject({ outcome: "failed" });
    world.journalState.documents.set("local/payments", whole);
    expect((await world.process().once())[0]).toMatchObject({ outcome: "deleted" });
    expect(world.violations).toEqual([]);
  });

  test("written by a newer version asks for that version", async () => {
    const { world } = await damaged('{"version":2}');
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "failed", hint: expect.stringContaining("newer keyturn") });
  });
});
