import { expect, test } from "vitest";
import { HOUR, scenario } from "./scenario.ts";

test("a first key that the provider refuses to create is tried once a backoff, not over and over", async () => {
  const world = await scenario({ existing: false, faults: ["create:403:all"] });
  const process = world.process();
  const [result] = await process.once({ within: HOUR / 2 });
  expect(result).toMatchObject({ outcome: "failed" });
  const creates = () => world.model.requests.filter(({ method }) => method === "POST").length;
  expect(creates()).toBe(1);
  await world.clock.sleep(2 * HOUR);
  await process.once({ within: HOUR / 2 });
  expect(creates()).toBe(2);
});
