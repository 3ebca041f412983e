import { describe, expect, test } from "vitest";
import { DAY, FIELD, HOUR, hashOf, MINUTE, scenario } from "./scenario.ts";

const consumer = (probe: Record<string, unknown> = {}, more: Record<string, unknown> = {}) => ({
  name: "payments",
  probe: { http: "http://payments/healthz", ...probe },
  ...more,
});
const fleet = (probe: Record<string, unknown> = {}) => ({
  key: { consumers: [consumer({ resolve: "all", ...probe })] },
});
const QUICK = { timeout: "1m", interval: "5s" };

/** A world whose service has so many instances, which use the first key. */
async function withInstances(count: number, options: Parameters<typeof scenario>[0] = fleet()) {
  const world = await scenario(options);
  while (world.payments.instances.length < count) world.payments.scaleUp();
  return world;
}

describe("every instance must confirm", () => {
  test("all addresses behind the name are asked", async () => {
    const world = await withInstances(3);
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(new Set(world.payments.serving())).toEqual(new Set([world.current()]));
    expect(world.violations).toEqual([]);
  });

  test("one stale instance keeps the old key alive, and is named in what is held", async () => {
    const world = await withInstances(3);
    const stale = world.payments.instances[1];
    if (stale) stale.stuck = true;
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "held" });
    expect(result.message).toContain("10.0.0.2");
    expect(world.revoked).toEqual([]);
  });

  test("an instance born with the old key in the middle is waited for", async () => {
    const world = await withInstances(1, {
      key: { ...fleet().key, confirm: { timeout: "10m", interval: "5s", successThreshold: 20 } },
    });
    const first = world.current();
    const following = world.process().now();
    await world.clock.sleep(5_000);
    world.payments.scaleUp(first);
    expect(await following).toMatchObject({ outcome: "deleted" });
    expect(new Set(world.payments.serving())).toEqual(new Set([world.current()]));
    expect(world.violations).toEqual([]);
  });

  test("fewer instances than the policy asks for never confirm", async () => {
    const world = await withInstances(2, fleet({ instances: 3 }));
    expect(await world.process().now()).toMatchObject({ outcome: "blocked" });
    world.payments.scaleUp();
    await world.clock.sleep(1_000);
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
  });

  test("no instances is no confirmation", async () => {
    const world = await withInstances(1);
    const following = world.process().now({ within: 30 * MINUTE });
    world.payments.instances.length = 0;
    const result = await following;
    expect(["blocked", "held"]).toContain(result.outcome);
    expect(world.revoked).toEqual([]);
  });

  test("an instance that still holds the old key beside the new one does not confirm", async () => {
    const world = await withInstances(1);
    const [one] = world.payments.instances;
    one?.holding.push(world.current() as string);
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    expect(world.revoked).toEqual([]);
  });
});

describe("before the start", () => {
  test("a consumer that is down blocks it, and nothing is created", async () => {
    const world = await scenario();
    for (const one of world.payments.instances) one.down = true;
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "blocked" });
    expect(result.message).toContain("payments");
    expect(world.sent("POST")).toHaveLength(0);
    await world.clock.sleep(31 * DAY);
    await world.process().once();
    expect(await world.process().status()).toMatchObject({ state: "blocked" });
    for (const one of world.payments.instances) one.down = false;
    await world.clock.sleep(1_000);
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
    expect(await world.process().status()).toMatchObject({ state: "ok" });
  });

  test("hostile answers count as unwell and are not repeated", async () => {
    const world = await scenario();
    world.payments.body = `{"status":"ok","keys":{"payments-api":{"serving":"${world.current()}"}}}`;
    expect(await world.process().now()).toMatchObject({ outcome: "blocked" });
    expect(JSON.stringify(world.journalState.events) + world.logged.join()).not.toContain(world.current());
  });
});

describe("weaker evidence, chosen explicitly", () => {
  test("trustStatus: a service that only says that it is well is taken at its word", async () => {
    const world = await scenario({ key: { consumers: [consumer({ trustStatus: true })] } });
    world.payments.body = '{"status":"ok"}';
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
  });

  test("consumers: none: the old key goes after the overlap", async () => {
    const world = await scenario({ key: { consumers: "none", retire: { after: "30m", watch: "1s" } } });
    world.services.clear();
    const started = world.clock.now();
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(world.clock.now() - started).toBeGreaterThanOrEqual(30 * MINUTE);
  });

  test("evidence usage: confirmed once the new key is used and the old one quiet", async () => {
    const world = await scenario({
      key: { consumers: [consumer({ evidence: "usage" })], retire: { watch: "1s" } },
    });
    world.payments.body = '{"status":"ok"}';
    const first = world.current();
    const following = world.process().now();
    for (let count = 0; count < 10; count += 1) {
      world.model.spend(hashOf(first) as string, 0.1);
      await world.clock.sleep(2_000);
    }
    expect(world.revoked).toEqual([]);
    world.model.spend(hashOf(world.current()) as string, 0.1);
    expect(await following).toMatchObject({ outcome: "deleted" });
    expect(world.current()).not.toBe(first);
  });

  test("evidence usage: a new key that nobody uses is not confirmed, and held at the timeout", async () => {
    const world = await scenario({ key: { consumers: [consumer({ evidence: "usage" })], confirm: QUICK } });
    world.payments.body = '{"status":"ok"}';
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "held" });
    expect(result.message).toContain("used");
    expect(world.revoked).toEqual([]);
  });
});

describe("reload hooks", () => {
  const reloading = (more: Record<string, unknown> = {}) => ({
    key: { consumers: [consumer({}, { reload: { http: "http://payments/-/reload" } })], ...more },
  });

  test("are called once after promotion", async () => {
    const world = await scenario(reloading());
    world.payments.onReload = true;
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(world.payments.reloads).toBe(1);
  });

  test("are called again with backoff while they fail, and what failed is in the history", async () => {
    const world = await scenario(reloading());
    world.payments.onReload = true;
    world.payments.reloadFailures = 3;
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(world.payments.reloads).toBe(4);
    expect((await world.process().kinds()).filter((kind) => kind === "reload-failed")).toHaveLength(3);
  });

  test("are called again after a revert, for the old key", async () => {
    const world = await scenario(reloading({ confirm: { ...QUICK, onTimeout: "rollback" } }));
    const first = world.current();
    world.payments.onReload = true;
    const [one] = world.payments.instances;
    one?.holding.push(first as string);
    expect(await world.process().now()).toMatchObject({ outcome: "reverted" });
    expect(world.payments.reloads).toBe(2);
    expect(world.payments.serving()).toEqual([first]);
  });

  test("are called again for a consumer that goes back to the old key after it had confirmed", async () => {
    const world = await scenario(reloading({ retire: { after: "10m", watch: "1s", keepDisabledFor: "0s" } }));
    const first = world.current() as string;
    world.payments.onReload = true;
    await world.process().now({ within: 5 * MINUTE });
    expect(world.payments.serving()).toEqual([world.current()]);
    for (const one of world.payments.instances) one.serving = first;
    expect(await world.process().once({ within: HOUR })).toMatchObject([{ outcome: "deleted" }]);
    expect(world.payments.reloads).toBe(2);
    expect(world.payments.serving()).toEqual([world.current()]);
    expect(world.violations).toEqual([]);
  });

  test("a restarted process does not call a hook again that has succeeded", async () => {
    const world = await scenario(reloading());
    await world.process().now({ within: 0 });
    world.payments.stuck();
    await world.process().once({ within: 10_000 });
    await world.process().once({ within: 10_000 });
    expect(world.payments.reloads).toBe(1);
  });
});

describe("a confirmation that does not come", () => {
  test("onTimeout hold: both keys live and a person is waited for", async () => {
    const world = await scenario({ key: { confirm: QUICK } });
    world.payments.stuck();
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "held" });
    expect(result.hint).toContain("approve");
    expect(world.live()).toHaveLength(2);
    expect(await world.process().status()).toMatchObject({ state: "held" });
  });

  test("onTimeout rollback: the old key is back, confirmed, and the new one deleted; the next try waits", async () => {
    const world = await scenario({ key: { confirm: { ...QUICK, onTimeout: "rollback" } } });
    const first = world.current();
    world.payments.stuck();
    expect(await world.process().now()).toMatchObject({ outcome: "reverted" });
    expect(world.current()).toBe(first);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(first)]);
    expect(await world.process().status()).toMatchObject({ state: "failed", next: { why: "retry" } });
    expect(world.violations).toEqual([]);
  });

  test("a revert that nobody confirms is held, with both keys alive", async () => {
    const world = await scenario({ key: { confirm: { ...QUICK, onTimeout: "rollback" } } });
    const following = world.process().now();
    await world.clock.sleep(50);
    for (const one of world.payments.instances) one.holding.push("sk-elsewhere");
    world.payments.body = '{"status":"starting"}';
    expect(await following).toMatchObject({ outcome: "held" });
    expect((await world.process().status()).rotation?.held?.reason).toBe("revert-unconfirmed");
    expect(world.revoked).toEqual([]);
    expect(world.live()).toHaveLength(2);
  });

  test("a held rotation ends by itself when the consumers confirm after all", async () => {
    const world = await scenario({ key: { confirm: QUICK } });
    world.payments.stuck();
    await world.process().now();
    world.payments.stuck(false);
    world.payments.settle();
    await world.clock.sleep(HOUR);
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "deleted" });
    expect(world.violations).toEqual([]);
  });

  test("approve --without lets it go on without one consumer, and only that one", async () => {
    const world = await scenario({
      key: {
        confirm: QUICK,
        consumers: [consumer(), { name: "batch", probe: { http: "http://batch/healthz" } }],
      },
    });
    const batch = world.service("batch");
    batch.settle();
    batch.stuck();
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    world.revoking = true;
    expect(await world.process().ask("approve", { without: "batch" })).toMatchObject({ outcome: "deleted" });
    expect(await world.process().kinds()).toContain("release");
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });

  test("rollback of a held rotation puts the old key back", async () => {
    const world = await scenario({ key: { confirm: QUICK } });
    const first = world.current();
    world.payments.stuck();
    await world.process().now();
    expect(await world.process().ask("rollback")).toMatchObject({ outcome: "reverted" });
    expect(world.current()).toBe(first);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(first)]);
    expect(world.violations).toEqual([]);
  });
});

test("keys are isolated from one another's failures", async () => {
  const base = {
    provider: "openrouter",
    schedule: { every: "30d" },
    confirm: QUICK,
    retire: { watch: "1s" },
  };
  const world = await scenario({
    keys: ["payments", "billing", "absent"].map((name) => ({
      ...base,
      name: `${name}-api`,
      store: { use: "local", secret: name, field: FIELD, create: false },
      consumers: [{ name, probe: { http: `http://${name}/healthz` } }],
    })),
  });
  world.write({ [FIELD]: world.byHand("billing") }, "billing");
  const billing = world.service("billing", 1, { secret: "billing", key: "billing-api" });
  billing.settle();
  billing.stuck();
  const process = world.process();
  for (const key of ["payments-api", "billing-api", "absent-api"])
    await process.engine.request(key, { kind: "rotate", actor: "test" });
  const results = await process.once();
  expect(results.map((result) => result.outcome)).toEqual(["deleted", "held", "blocked"]);
});
