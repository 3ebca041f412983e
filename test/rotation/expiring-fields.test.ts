import { expect, test } from "vitest";
import { DAY, FIELD, HOUR, hashOf, type Scenario, scenario } from "./scenario.ts";

const EXPIRING = { settings: { expiresAfter: "30d" }, renewBefore: "10d" };
const KEY = {
  name: "payments-api",
  provider: "openrouter",
  schedule: "none",
  store: { use: "local", secret: "payments", field: FIELD },
  consumers: [{ name: "payments", probe: { http: "http://payments/healthz" } }],
  confirm: { timeout: "1m", interval: "5s" },
  retire: { watch: "1s" },
  ...EXPIRING,
};
const SECOND = {
  ...KEY,
  name: "billing-api",
  store: { use: "local", secret: "payments", field: "SECOND" },
  consumers: [{ name: "billing", probe: { http: "http://billing/healthz" } }],
};

/** Two fields of one secret whose keys expire after 30 days, made one after the other. */
async function expiring() {
  const world = await scenario({ keys: [KEY, SECOND] });
  world.write({ ...world.file(), SECOND: world.byHand("second") });
  const billing = world.service("billing", 1, { field: "SECOND", key: "billing-api" });
  billing.settle();
  await rotate(world, "payments-api");
  await rotate(world, "billing-api");
  return { world, billing };
}

async function rotate(world: Scenario, key: string) {
  const process = world.process();
  await process.engine.request(key, { kind: "rotate", actor: "test" });
  return (await process.once({ keys: [key] }))[0];
}

/** Passes every hour, each in a new process. */
async function heartbeats(world: Scenario, lasting: number, every = HOUR): Promise<void> {
  for (const end = world.clock.now() + lasting; world.clock.now() < end; ) {
    await world.clock.sleep(every);
    await world.process().once({ within: 10 * 60_000 });
  }
}

const starts = async (world: Scenario) =>
  (await world.process().kinds()).filter((kind) => kind === "start").length;

test("a held rotation yields when another field's key nears its expiry, and its own key is not lost sight of", async () => {
  const { world } = await expiring();
  await world.clock.sleep(5 * DAY);
  world.payments.stuck();
  await rotate(world, "payments-api");
  expect(await world.process().status()).toMatchObject({ state: "held" });
  const second = world.current("SECOND");
  await heartbeats(world, 16 * DAY, 6 * HOUR);
  expect(world.current("SECOND")).not.toBe(second);
  const [superseded] = (await world.process().engine.history({})).filter(({ kind }) => kind === "supersede");
  expect(superseded?.message).toContain('"billing-api"');
  world.payments.stuck(false);
  await heartbeats(world, 2 * HOUR);
  expect(
    world
      .live()
      .map((key) => key.hash)
      .sort(),
  ).toEqual([hashOf(world.current()), hashOf(world.current("SECOND"))].sort());
  expect(world.violations).toEqual([]);
});

test("two keys that near their expiry together are both tried, also when the first is held", async () => {
  const { world } = await expiring();
  const second = world.current("SECOND");
  await world.clock.sleep(19.9 * DAY);
  world.faults.add("create:reset:3");
  await heartbeats(world, DAY, 6 * HOUR);
  expect(world.current("SECOND")).not.toBe(second);
});

test("rotations that are all held do not supersede one another again and again", async () => {
  const { world, billing } = await expiring();
  await world.clock.sleep(19.9 * DAY);
  world.payments.stuck();
  billing.stuck();
  const before = await starts(world);
  await heartbeats(world, 3 * DAY);
  expect((await starts(world)) - before).toBe(2);
  expect(world.violations).toEqual([]);
});

test("nor do rotations that are held before anything is promoted", async () => {
  const { world } = await expiring();
  await world.clock.sleep(19.9 * DAY);
  world.faults.add("create:reset:all");
  const before = await starts(world);
  await heartbeats(world, 2 * DAY);
  expect((await starts(world)) - before).toBe(2);
  expect(world.sent("POST").length).toBeLessThan(12);
});

test("a key whose rotation has failed is tried again after its backoff, past another's held rotation", async () => {
  const { world } = await expiring();
  await world.clock.sleep(19.9 * DAY);
  const second = world.current("SECOND");
  world.setPolicy([{ ...KEY, suspend: true }, SECOND]);
  world.faults.add("create:402");
  await world.clock.sleep(4 * HOUR);
  await world.process().once({ within: HOUR / 2 });
  world.setPolicy([KEY, SECOND]);
  world.payments.stuck();
  await rotate(world, "payments-api");
  expect(await world.process().status()).toMatchObject({ state: "held" });
  expect(world.current("SECOND")).toBe(second);
  await heartbeats(world, 3 * HOUR);
  expect(world.current("SECOND")).not.toBe(second);
});

test.each([
  ["is suspended", { suspend: true }],
  ["may not be rotated now", { windows: [{ kind: "deny", schedule: "0 0 * * *", duration: "23h" }] }],
])("a key that %s does not end another's held rotation", async (_, second) => {
  const { world } = await expiring();
  await world.clock.sleep(5 * DAY);
  world.payments.stuck();
  await rotate(world, "payments-api");
  world.setPolicy([KEY, { ...SECOND, ...second }]);
  const before = await starts(world);
  await heartbeats(world, 18 * DAY, 6 * HOUR);
  expect(await starts(world)).toBe(before);
  expect(await world.process().status()).toMatchObject({ state: "held" });
});

test("a revocation does not yield to another field's expiry", async () => {
  const { world } = await expiring();
  world.revoking = true;
  await world.clock.sleep(15 * DAY);
  world.faults.add("create:reset:3");
  await world.process().engine.request("payments-api", { kind: "revoke", actor: "test" });
  await world.process().once();
  expect(await world.process().status()).toMatchObject({ state: "held", rotation: { kind: "revoke" } });
  await heartbeats(world, 4 * DAY, 6 * HOUR);
  expect((await world.process().status()).rotation?.kind).toBe("revoke");
});
