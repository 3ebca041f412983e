import { Cron } from "croner";
import fc from "fast-check";
import { validate } from "node-cron";
import { expect, test } from "vitest";
import { cronGaps, nextCron } from "../../src/schedule/cron.ts";
import { plainCron } from "../../src/schedule/plain-cron.ts";

const DAY = 86_400_000;
const FROM = Date.parse("2027-01-15T12:34:56Z");

/** Gaps found by asking for one run after the other. */
function gapsByStepping(expression: string, timezone: string) {
  const gaps: number[] = [];
  let previous = nextCron(expression, timezone, FROM);
  while (gaps.length < 400 && previous !== undefined) {
    if (previous - FROM >= (gaps.length < 3 ? 5 * 366 : 400) * DAY) break;
    const next = nextCron(expression, timezone, previous);
    if (next === undefined) break;
    gaps.push(next - previous);
    previous = next;
  }
  return { shortest: Math.min(...gaps), longest: Math.max(...gaps) };
}

const part = (low: number, high: number) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: low, max: high }).map(String) },
    fc.tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high })).map(([a, b]) => {
      const [from, to] = a < b ? [a, b] : [b, a];
      return `${from}-${to}`;
    }),
  );
const field = (low: number, high: number) =>
  fc.oneof(
    { weight: 3, arbitrary: part(low, high) },
    fc.array(part(low, high), { minLength: 2, maxLength: 3 }).map((parts) => parts.join(",")),
    fc.constant("*"),
    fc.integer({ min: 1, max: high - low }).map((step) => `*/${step}`),
    fc
      .tuple(part(low, high), fc.integer({ min: 0, max: high + 2 }))
      .map(([range, step]) => `${range}/${step}`),
  );
const expressions = fc
  .tuple(field(0, 59), field(0, 23), field(1, 31), field(1, 12), field(0, 7), fc.boolean())
  .map(([minute, hour, day, month, weekday, byDay]) =>
    [minute, hour, byDay ? day : "*", month, byDay ? "*" : weekday].join(" "),
  );
const zones = fc.constantFrom("Etc/UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe");

test("what is read as plain is valid, and comes, by the libraries that run it", () => {
  fc.assert(
    fc.property(expressions, (expression) => {
      if (plainCron(expression) === undefined) return;
      expect(validate(expression), expression).toBe(true);
      expect(new Cron(expression, { mode: "5-part", timezone: "Etc/UTC" }).nextRun(), expression).not.toBe(
        null,
      );
    }),
    { numRuns: 1_000 },
  );
});

test("the gaps of a plain expression are those between its runs, also over changes of the clocks", () => {
  fc.assert(
    fc.property(expressions, zones, (expression, timezone) => {
      if (plainCron(expression) === undefined) return;
      expect(cronGaps(expression, timezone, FROM), expression).toMatchObject(
        gapsByStepping(expression, timezone),
      );
    }),
    { numRuns: 40 },
  );
});

test.each(["0 2 * * *", "30 2 29 2 *", "15,45 1-3 * 3,10 0", "*/20 0-23/6 1-7 * *"])(
  "%s is plain",
  (expression) => expect(plainCron(expression)).toBeDefined(),
);

test.each([
  "0 * * * *",
  "0 */2 * * *",
  "0 2 1 * 1",
  "0 2 ? * *",
  "0 2 * JAN *",
  "0 2 30 2 *",
  "5/10 2 * * *",
  "0 24 * * *",
  "0 2 L * *",
  "60 2 * * *",
  "0 2 * *",
])("%s is left to the libraries", (expression) => expect(plainCron(expression)).toBeUndefined());
