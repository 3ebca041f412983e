import { expect, test } from "vitest";
import { DAY, FIELD, scenario } from "./scenario.ts";

const NAMES = ["payments-api", "billing-api", "search-api"];
const KEYS = NAMES.map((name) => ({
  name,
  provider: "openrouter",
  schedule: { every: "30d" },
  store: { use: "local", secret: name, field: FIELD },
  consumers: "none",
  retire: { after: "1s" },
}));

/** Three keys of three secrets, all of them rotated; and what a process then does at the journal. */
async function rotated() {
  const world = await scenario({ keys: KEYS, existing: false });
  await world.process().once();
  const calls: string[] = [];
  const process = world.process({
    before: async (call) => {
      calls.push(call);
    },
  });
  return { world, process, calls };
}

test("however many keys have nothing to do, a pass reads the journal once, takes no lease and asks nobody", async () => {
  const { process, calls } = await rotated();
  expect(await process.once()).toEqual(
    NAMES.map((key) => ({ key, outcome: "idle", message: "nothing to do" })),
  );
  expect(calls).toEqual(["journal.each"]);
});

test("a key that is asked for something has its own pass, and the others stay as they are", async () => {
  const { world, process, calls } = await rotated();
  await world.process().engine.request("billing-api", { kind: "rotate", actor: "test" });
  expect((await process.once()).map(({ outcome }) => outcome)).toEqual(["idle", "deleted", "idle"]);
  expect(calls.filter((call) => call === "journal.acquire")).toHaveLength(1);
});

test("what is due is started, beside keys with nothing to do", async () => {
  const { world, process } = await rotated();
  await world.clock.sleep(20 * DAY);
  await world.process().engine.request("search-api", { kind: "rotate", actor: "test" });
  await world.process().once();
  await world.clock.sleep(11 * DAY);
  expect((await process.once()).map(({ outcome }) => outcome)).toEqual(["deleted", "deleted", "idle"]);
});
