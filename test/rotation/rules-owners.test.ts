import { describe, expect, test } from "vitest";
import { memoryJournalState } from "../../src/journal/memory.ts";
import { FIELD, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const KEY = {
  name: "payments-api",
  provider: "openrouter",
  schedule: { every: "30d" },
  store: { use: "local", secret: "payments", field: FIELD },
  consumers: [{ name: "payments", probe: { http: "http://payments/healthz" } }],
  confirm: { timeout: "10m", interval: "5s" },
  retire: { watch: "1s" },
};
const SECOND = {
  ...KEY,
  name: "billing-api",
  store: { use: "local", secret: "payments", field: "SECOND" },
  consumers: [{ name: "billing", probe: { http: "http://billing/healthz" } }],
};

/** Two keys in two fields of one secret, each with a service. */
async function twoFields() {
  const world = await scenario({ keys: [KEY, SECOND] });
  world.write({ ...world.file(), SECOND: world.byHand("second") });
  const billing = world.service("billing", 1, { field: "SECOND", key: "billing-api" });
  billing.settle();
  return { world, billing };
}

describe("R10: one rotation of a target at a time", () => {
  test("two fields of one secret are rotated one after the other, and both finish", async () => {
    const { world, billing } = await twoFields();
    const process = world.process();
    for (const key of ["payments-api", "billing-api"])
      await process.engine.request(key, { kind: "rotate", actor: "test" });
    const results = await process.once();
    expect(results.map((result) => result.outcome)).toEqual(["deleted", "deleted"]);
    expect(billing.serving()).toEqual([world.current("SECOND")]);
    expect(
      world
        .live()
        .map((key) => key.hash)
        .sort(),
    ).toEqual([hashOf(world.current()), hashOf(world.current("SECOND"))].sort());
    expect(world.file()).toMatchObject({ OTHER: "kept" });
    expect(world.violations).toEqual([]);
  });

  test("two processes on one journal perform one rotation", async () => {
    const world = await scenario();
    const results = await Promise.all([world.process().now(), world.process().now()]);
    expect(results.map((result) => result.outcome)).toEqual(["deleted", "deleted"]);
    expect(world.sent("POST").length).toBeLessThanOrEqual(2);
    const starts = (await world.process().kinds()).filter((kind) => kind === "start");
    expect(world.sent("POST")).toHaveLength(starts.length);
    expect(world.violations).toEqual([]);
  });

  test("two processes to which the same key falls due rotate it once", async () => {
    const world = await scenario();
    await world.process().once();
    await world.clock.sleep(31 * 24 * HOUR);
    await Promise.all([world.process().once(), world.process().once()]);
    expect(world.sent("POST")).toHaveLength(1);
  });

  test("a renamed key with its earlier name is the same key; its history goes on", async () => {
    const world = await scenario();
    await world.process().now();
    const current = world.current();
    world.setPolicy([{ ...KEY, name: "renamed", formerly: ["payments-api"] }]);
    expect((await world.process().once())[0]).toMatchObject({ key: "renamed", outcome: "idle" });
    expect(world.current()).toBe(current);
    await world.clock.sleep(31 * 24 * HOUR);
    expect((await world.process().once())[0]).toMatchObject({ outcome: "deleted" });
    expect(world.live()[0]?.name).toContain("/renamed/");
  });

  test("a renamed key without its earlier name is blocked, with what to write", async () => {
    const world = await scenario();
    await world.process().now();
    world.setPolicy([{ ...KEY, name: "renamed" }]);
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(result?.message).toContain("formerly: [payments-api]");
    expect(world.sent("POST")).toHaveLength(1);
  });

  test("two fields that hold the same key are not both adopted", async () => {
    const { world } = await twoFields();
    world.write({ ...world.file(), SECOND: world.current() });
    const results = await world.process().once();
    expect(results[1]).toMatchObject({ key: "billing-api", outcome: "blocked" });
    expect(results[1]?.message).toContain("same key");
  });

  test("a held rotation of one field says to the other what it waits for", async () => {
    const { world } = await twoFields();
    world.payments.stuck();
    await world.process().now();
    const process = world.process();
    await process.engine.request("billing-api", { kind: "rotate", actor: "test" });
    const [result] = await process.once({ keys: ["billing-api"] });
    expect(result?.outcome).toBe("waiting");
    world.payments.stuck(false);
    await world.clock.sleep(MINUTE);
    world.payments.settle();
    const results = await process.once();
    expect(results.map((one) => one.outcome)).toEqual(["deleted", "deleted"]);
  });
});

describe("R11: one owner", () => {
  const secondLaptop = (world: Scenario) => world.process({ state: memoryJournalState(world.random) });

  test("a second installation is blocked, until it takes over; then the first is", async () => {
    const world = await scenario();
    await world.process().now();
    const second = secondLaptop(world);
    const result = await second.now();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(result.message).toContain("--take-over");
    expect(world.sent("POST")).toHaveLength(1);
    await second.ask("take-over");
    expect(await second.now()).toMatchObject({ outcome: "deleted" });
    expect(await world.process().now()).toMatchObject({ outcome: "blocked" });
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("a rotation whose secret is taken over in the middle holds, and touches nothing more", async () => {
    const world = await scenario();
    world.payments.stuck();
    await world.process().now({ within: MINUTE });
    await secondLaptop(world).ask("take-over", { within: 0 });
    world.payments.stuck(false);
    const before = world.revoked.length;
    await world.clock.sleep(MINUTE);
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "held" });
    expect((await world.process().status()).rotation?.held?.reason).toBe("rival-owner");
    expect(world.revoked).toHaveLength(before);
    expect(await world.process().ask("take-over")).toMatchObject({ outcome: "deleted" });
  });

  test("a lost journal is a second installation", async () => {
    const world = await scenario();
    await world.process().now();
    const [result] = await secondLaptop(world).once();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });
});

describe("R13: adoption is certain or refused", () => {
  test("a current value is adopted by its fingerprint, and its age counts from when it was issued", async () => {
    const world = await scenario();
    await world.clock.sleep(20 * 24 * HOUR);
    await world.process().once();
    const status = await world.process().status();
    expect(status.current?.hash).toBe(hashOf(world.current()));
    expect((status.next?.at ?? 0) - world.clock.now()).toBe(10 * 24 * HOUR);
    expect(world.sent("POST")).toHaveLength(0);
  });

  test("a placeholder that the provider refuses is not adopted", async () => {
    const world = await scenario();
    world.write({ [FIELD]: "sk-or-v1-placeholder" });
    expect(await world.process().now()).toMatchObject({ outcome: "blocked" });
    expect((await world.process().status()).message).toContain("provisioned");
    expect(world.sent("POST")).toHaveLength(0);
  });

  test("a management key in the secret is not adopted", async () => {
    const world = await scenario();
    world.write({ [FIELD]: world.managementKey.reveal() });
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(result.message).toContain("management key");
    expect(JSON.stringify(world.journalState.events)).not.toContain(world.managementKey.reveal());
  });

  test("an adopt hash that is another key's is refused", async () => {
    const world = await scenario();
    const other = hashOf(world.byHand("other"));
    world.setPolicy([{ ...KEY, adopt: { hash: other } }]);
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(result.message).toContain("adopt");
  });

  test("no key is made where the policy names one to adopt and the secret holds none", async () => {
    const world = await scenario({ existing: false });
    const named = hashOf(world.byHand("in use elsewhere")) as string;
    world.setPolicy([{ ...KEY, adopt: { hash: named } }]);
    const [plan] = await world.process().engine.plan(["payments-api"]);
    expect(plan).toMatchObject({ verb: "BLOCKED", why: expect.stringContaining(named.slice(0, 12)) });
    expect(await world.process().now()).toMatchObject({ outcome: "blocked" });
    expect((await world.process().status()).reason).toBe("adopt-absent");
    expect(world.sent("POST")).toHaveLength(0);
  });

  test("a key that is kept for another secret is refused", async () => {
    const world = await scenario({
      keys: [KEY, { ...KEY, name: "other-api", store: { use: "local", secret: "other", field: FIELD } }],
    });
    world.write({ [FIELD]: world.current() }, "other");
    const process = world.process();
    await process.once({ keys: ["payments-api"] });
    const [result] = await process.once({ keys: ["other-api"] });
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(result?.message).toContain("local/payments");
  });

  test("a key of a workspace named in the policy is adopted, and replaced there", async () => {
    const world = await scenario();
    const workspace = world.model.addWorkspace();
    const { key } = world.model.create({ name: "made there", workspaceId: workspace });
    world.write({ [FIELD]: key.reveal() });
    world.payments.settle();
    world.setPolicy([{ ...KEY, settings: { workspaceId: workspace } }]);
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(world.model.key(hashOf(world.current()) as string)?.workspaceId).toBe(workspace);
  });

  test("settings that the policy leaves out are those of the key that is replaced", async () => {
    const world = await scenario();
    await world.process().now();
    expect(world.live()[0]).toMatchObject({ limit: 150, limitReset: "monthly" });
  });

  test("an absent secret is provisioned; the first key is nobody's replacement", async () => {
    const world = await scenario({ existing: false });
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "completed", newHash: hashOf(world.current()) });
    expect(world.live()).toHaveLength(1);
    expect(world.revoked).toEqual([]);
  });

  test("an absent secret is not made where the policy says create: false", async () => {
    const world = await scenario({
      existing: false,
      key: { store: { use: "local", secret: "payments", field: FIELD, create: false } },
    });
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(world.sent("POST")).toHaveLength(0);
  });
});

describe("keys that people put there", () => {
  test("a key put into the secret by hand is adopted when the rotation is due, and the one before it retired", async () => {
    const world = await scenario({ key: { schedule: { every: "1d" } } });
    await world.process().now();
    world.write({ ...world.file(), [FIELD]: world.byHand("by hand") });
    world.payments.settle();
    await world.clock.sleep(25 * HOUR);
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "deleted" });
    await world.process().once();
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });
});
