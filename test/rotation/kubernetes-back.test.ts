import { expect, test } from "vitest";
import { FIELD, MINUTE } from "./scenario.ts";
import { inKubernetes } from "./store-worlds.ts";

test("where a person writes the new key over the old one that a rollback has put back, the old one is put back again", async () => {
  const { world, store, edit } = await inKubernetes({
    key: {
      store: { use: "cluster", secret: "payments", field: FIELD, create: true },
      retire: { after: "1h" },
    },
  });
  const process = () => world.process({ store: store() });
  world.payments.settle();
  await process().now();
  const old = world.current();
  await process().now({ within: MINUTE });
  const replacement = world.current() ?? "";
  expect(replacement).not.toBe(old);
  world.payments.stuck();
  const back = process().ask("rollback", { within: 10 * MINUTE });
  await world.clock.sleep(MINUTE);
  expect(world.current()).toBe(old);
  edit(replacement);
  await world.clock.sleep(MINUTE);
  world.payments.stuck(false);
  expect(await back).toMatchObject({ outcome: "reverted" });
  expect(world.current()).toBe(old);
  expect(world.violations).toEqual([]);
});
