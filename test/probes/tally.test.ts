import { expect, test } from "vitest";
import type { Sweep, Verdict } from "../../src/probes/probe.ts";
import { SweepTally } from "../../src/probes/tally.ts";

const sweep = (members: Record<string, Verdict>, problem?: string): Sweep => ({
  consumer: "payments",
  instances: Object.entries(members).map(([instance, verdict]) => ({ instance, verdict, detail: "" })),
  ...(problem && { problem }),
});
const good = sweep({ a: "confirms", b: "confirms" });

function tallied(...sweeps: Sweep[]): SweepTally {
  const tally = new SweepTally();
  sweeps.forEach((one, i) => {
    tally.add(one, 1_000 + i);
  });
  return tally;
}

test("nothing has been counted at first", () => {
  expect(tallied()).toMatchObject({
    streak: 0,
    since: undefined,
    lastAt: undefined,
    membership: undefined,
    lastSweep: undefined,
  });
});

test("confirming sweeps in a row are counted from the instant the first one began", () => {
  expect(tallied(good, good, good)).toMatchObject({
    streak: 3,
    since: 1_000,
    lastAt: 1_002,
    lastSweep: good,
  });
});

test.each([
  ["a relapse", sweep({ a: "confirms", b: "other" })],
  ["an instance that still holds the old key", sweep({ a: "confirms", b: "holds" })],
  ["a silent instance", sweep({ a: "confirms", b: "silent" })],
  ["a problem", sweep({ a: "confirms", b: "confirms" }, "too few")],
  ["no instance", sweep({})],
])("%s starts the count again", (_, bad) => {
  expect(tallied(good, good, bad)).toMatchObject({ streak: 0, since: undefined, lastAt: 1_002 });
  expect(tallied(good, bad, good)).toMatchObject({ streak: 1, since: 1_002 });
});

test("a new member makes the sweep the first of a new row, in any order of members", () => {
  const grown = sweep({ a: "confirms", b: "confirms", c: "confirms" });
  expect(tallied(good, good, grown)).toMatchObject({ streak: 1, since: 1_002 });
  expect(tallied(good, grown, grown)).toMatchObject({ streak: 2, since: 1_001 });
  expect(tallied(good, sweep({ b: "confirms", a: "confirms" })).streak).toBe(2);
});
