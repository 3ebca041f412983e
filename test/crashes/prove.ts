import { afterAll, expect, test } from "vitest";
import { COURSES } from "./course.ts";
import { explore, type Figures } from "./explore.ts";
import type { PlaceKind } from "./place.ts";

/** KEYTURN_TEST_PAIRS=all: the process that recovers is killed too, everywhere (`npm run test:pairs`). */
const PAIRS = process.env.KEYTURN_TEST_PAIRS === "all";

/**
 * Tests each course over one kind of store. `storeSite` recognises the calls at which that store's
 * own work can be interrupted.
 */
export function proveKills(store: string, kind: PlaceKind, storeSite: RegExp): void {
  const all: Figures[] = [];
  const sites = new Set<string>();

  test.each(COURSES)(
    `${store}: a rotation that is $name survives ${PAIRS ? "two kills at any two points" : "a kill at any point"}`,
    { timeout: 600_000 },
    async (course) => {
      const { figures, calls, faults } = await explore(course, kind, PAIRS);
      all.push(figures);
      expect(faults).toEqual([]);
      for (const site of calls) sites.add(site);
      expect(figures.worlds).toBeGreaterThan(20);
      expect(figures.compared).toBeGreaterThan(3);
    },
  );

  test.each([/^journal\./, /^provider /, /^probe \.\//, /^probe http/, /^reload /, storeSite])(
    `${store}: among the calls that were interrupted are those like %s`,
    (site) => expect([...sites]).toContainEqual(expect.stringMatching(site)),
  );

  afterAll(() => {
    const lines = all.map(
      (one) =>
        `${store}, ${one.course}: ${one.calls} calls, ${one.points} points, ${one.worlds} worlds` +
        (PAIRS ? ` and ${one.worldsAfterTwo} after two kills, ${one.pairs} pairs` : "") +
        `; ${one.runs} runs, ${one.compared} compared`,
    );
    process.stdout.write(`${lines.join("\n")}\n`);
  });
}
