import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../src/policy/duration.ts";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

test("a duration is its count times its unit", () => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.constantFrom(...(Object.keys(UNITS) as (keyof typeof UNITS)[])),
      (count, unit) => {
        expect(parseDuration(`${count}${unit}`)).toBe(count * UNITS[unit]);
      },
    ),
  );
});

test("nothing but digits and a unit is a duration", () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!/^\d+(ms|s|m|h|d)$/.test(text));
      expect(parseDuration(text)).toBeNaN();
    }),
  );
  for (const text of ["", "5", "5 m", "-5m", "1.5h", "1h30m", "5M", "5min", "٣m"]) {
    expect(parseDuration(text), text).toBeNaN();
  }
});

test("a printed duration reads back to within its smallest unit shown", () => {
  fc.assert(
    fc.property(fc.nat(10 * 365 * 86_400_000), (ms) => {
      const shown = formatDuration(ms);
      const parts = shown.split(" ");
      const read = parts.reduce((sum, part) => sum + parseDuration(part), 0);
      const smallest = /[a-z]+$/.exec(shown)?.[0] as keyof typeof UNITS;
      expect(parts.length).toBeLessThanOrEqual(2);
      expect(Math.abs(read - ms)).toBeLessThan(Math.max(UNITS[smallest], 1_000));
    }),
  );
});

test("durations are printed in the units people use", () => {
  const shown = [0, 250, 999.7, 45_000, 90_000, 3_600_000, 5_400_000, 7 * 86_400_000, 86_460_000].map(
    formatDuration,
  );
  expect(shown).toEqual(["0ms", "250ms", "1s", "45s", "1m 30s", "1h", "1h 30m", "7d", "1d 1m"]);
});
