import { expect, test } from "vitest";
import { hashOf, scenario } from "./scenario.ts";

test("a rotation by hand ends with one live key, current and confirmed, and the old hash deleted", async () => {
  const world = await scenario();
  const first = world.current();
  const result = await world.process().now();
  expect(result).toMatchObject({
    outcome: "deleted",
    oldHash: hashOf(first),
    newHash: hashOf(world.current()),
  });
  expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  expect(world.payments.serving()).toEqual([world.current()]);
  expect(world.violations).toEqual([]);
});
