import { expect, test } from "vitest";
import { DAY, hashOf, scenario } from "./scenario.ts";
import { inMemory, REF } from "./store-worlds.ts";

const settings = { limit: 150, limitReset: "monthly" };

test("a limit raised by hand is reported within a day, and left as it is", async () => {
  const world = await scenario({ key: { settings } });
  const process = world.process();
  await process.once();
  const hash = hashOf(world.current()) as string;
  world.model.update(hash, { limit: 400 });
  await world.clock.sleep(DAY);
  await process.once();
  expect((await process.status()).drift).toEqual(["limit is 400 where 150 was asked for"]);
  expect(world.model.key(hash)?.limit).toBe(400);
});

test("with settingsDrift: apply the policy's settings are put back, and the history says so", async () => {
  const world = await scenario({ key: { settings, settingsDrift: "apply" } });
  const process = world.process();
  await process.once();
  const hash = hashOf(world.current()) as string;
  world.model.update(hash, { limit: 400 });
  await world.clock.sleep(DAY);
  await process.once();
  expect(world.model.key(hash)?.limit).toBe(150);
  expect((await process.status()).drift).toEqual([]);
  expect(await process.kinds()).toContain("settings-applied");
});

test("a key of a policy without settings is never asked about between rotations", async () => {
  const world = await scenario();
  const process = world.process();
  await process.once();
  const before = world.model.requests.length;
  await world.clock.sleep(2 * DAY);
  await process.once();
  expect(world.model.requests.length).toBe(before);
});

test("a key that a store which lags behind has shown as current again is deleted after all", async () => {
  const { world, store } = await inMemory({ key: { retire: { watch: "10s", keepDisabledFor: "12h" } } });
  const earlier = await store().observe(REF);
  await world.process().now();
  await world.clock.sleep(DAY / 2);
  const lagging = {
    ...store(),
    observe: async () => ({ ...(await store().observe(REF)), current: earlier.current }),
  };
  await world.process({ store: lagging }).once();
  expect(world.live()).toHaveLength(2);
  await world.clock.sleep(DAY);
  await world.process().once();
  await world.clock.sleep(DAY);
  await world.process().once();
  expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.current())]);
  expect(world.violations).toEqual([]);
});
