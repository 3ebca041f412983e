import { describe, expect, test } from "vitest";
import { campaign } from "./campaign.ts";
import { drawPlan } from "./plan.ts";
import { planWith } from "./seed.ts";
import { simulate } from "./simulate.ts";

/** How many seeds; `npm run simulate` runs as many as anyone likes. */
const SEEDS = 300;
const DAYS = 3;

describe("whatever happens to the world", () => {
  test(`no invariant is broken in ${SEEDS} seeds, and every seed runs the same twice`, {
    timeout: 300_000,
  }, async () => {
    const { broken, counts, seeds } = await campaign({ from: 1, seeds: SEEDS, days: DAYS, jobs: 2 });
    expect(
      broken.map(({ seed, broken: says, differs }) => ({ seed, says: says[0], differs })),
      `npm run simulate -- --from 1 --seeds ${SEEDS} --days ${DAYS}`,
    ).toEqual([]);
    expect(seeds).toBe(SEEDS);
    expect(counts.get("rotation completed")).toBeGreaterThan(SEEDS);
    expect(counts.get("kills")).toBeGreaterThan(SEEDS / 10);
  });

  test("a world without troubles rotates as its schedule says, and nothing is left over", async () => {
    for (let seed = 1; seed <= 5; seed += 1) {
      const { violations, counts } = await simulate(planWith(seed, 30, []));
      expect(violations).toEqual([]);
      expect(counts.get("rotation completed")).toBeGreaterThan(0);
      expect(counts.get("rotation failed")).toBeUndefined();
    }
  });
});

describe("the story of a seed", () => {
  test("tells what happened, when, to whom, and shows no key", async () => {
    const { story = [] } = await simulate(drawPlan(7, 5), { story: true });
    expect(story.length).toBeGreaterThan(50);
    for (const line of story) expect(line).toMatch(/^day [ \d]\d \d\d:\d\d:\d\d\.\d{3} {2}\S/);
    expect(story.join("\n")).not.toMatch(/(sk-or-v1-|lr_live_|lr_mgmt_)[0-9a-f]{64}/);
  });
});
