import { describe, expect, test } from "vitest";
import { removeBuildAtEnd } from "./built.ts";
import { countSites, killAtSites } from "./kills.ts";

removeBuildAtEnd();

/** All sites where time allows (`npm run test:kills`); a sample of them otherwise. */
const every = process.env.KEYTURN_TEST_KILLS === "all" ? 1 : 15;

/**
 * Below what a rotation comes to, which test/rotation/calls.test.ts pins: with fewer sites the hook has
 * missed some. On a busy machine consumers are asked less often, so requests vary the most.
 */
describe.each([
  { place: "file", fewest: { commit: 20, rename: 3, call: 9, request: 8 } },
  { place: "aws", fewest: { commit: 20, rename: 0, call: 9, request: 18 } },
] as const)("the built command on the $place store, killed by SIGKILL", ({ place, fewest }) => {
  test("before, within or after any commit, rename or request: the next run brings the rotation to its end, and no consumer notices", async () => {
    const counts = await countSites(place);
    for (const [kind, count] of Object.entries(fewest))
      expect(counts, kind).toMatchObject({ [kind]: expect.toSatisfy((one: number) => one >= count) });
    const { killed, missed, faults } = await killAtSites(place, counts, every);
    expect(faults).toEqual([]);
    // How often consumers are asked depends on how fast they are: a few last sites may not come.
    expect(missed.filter((site) => !site.startsWith("request:"))).toEqual([]);
    expect(missed.length).toBeLessThanOrEqual(1 + killed.length / 8);
  }, 1_200_000);
});
