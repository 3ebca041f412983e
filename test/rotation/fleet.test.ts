import { expect, it } from "vitest";
import { type Hook, scenario } from "./scenario.ts";

const KEYS = 150;

/** A fleet that nobody uses yet, so that no rotation waits for anybody. */
const keys = Array.from({ length: KEYS }, (_, index) => ({
  name: `key-${index}`,
  provider: "openrouter",
  schedule: { every: "30d" },
  store: { use: "local", secret: `secret-${index}`, field: "KEY", create: true },
  consumers: "none",
  retire: { after: "1h" },
}));

it("of many keys that are due at once ends the first rotations before it begins the last", async () => {
  const world = await scenario({ keys, existing: false });
  const leases: string[] = [];
  const before: Hook = async (call) => {
    if (call === "journal.acquire" || call === "journal.release") leases.push(call);
  };
  const results = await world.process({ before }).once({ until: "completed" });
  expect(results.map(({ outcome }) => outcome)).toEqual(keys.map(() => "completed"));
  expect(leases).toHaveLength(2 * KEYS);
  expect(leases.indexOf("journal.release")).toBeLessThan(leases.lastIndexOf("journal.acquire"));
});

it("walks the provider's list for many of its keys at a time", async () => {
  const world = await scenario({ keys, existing: false });
  await world.process().once({ until: "completed" });
  const pages = world.sent("GET").filter(({ path }) => path === "/api/v1/keys");
  expect(world.model.allKeys()).toHaveLength(KEYS);
  expect(pages.length).toBeLessThan(KEYS);
});
