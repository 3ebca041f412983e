import { expect, test } from "vitest";
import { DAY, hashOf, scenario } from "./scenario.ts";

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
