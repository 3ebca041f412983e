import { expect, test } from "vitest";
import { cronGaps, cronPeriod, nextCron } from "../../src/schedule/cron.ts";
import { runs } from "./runs.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test("the next run is after the instant, never at it", () => {
  expect(runs("0 10 * * *", "Etc/UTC", "2026-03-02T10:00:00Z", 1)).toEqual(["2026-03-03T10:00"]);
  expect(runs("0 10 * * *", "Etc/UTC", "2026-03-02T09:59:59.999Z", 1)).toEqual(["2026-03-02T10:00"]);
});

test("a local time that the clocks skip in spring runs right after the gap, once", () => {
  expect(runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3)).toEqual([
    "2026-03-28T01:30",
    "2026-03-29T01:00",
    "2026-03-30T00:30",
  ]);
});

test("a local time that comes twice in autumn runs once", () => {
  expect(runs("30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", 3)).toEqual([
    "2026-10-24T00:30",
    "2026-10-25T00:30",
    "2026-10-26T01:30",
  ]);
});

test("a schedule by the hour follows real time through a clock change", () => {
  expect(runs("0 * * * *", "America/New_York", "2026-11-01T04:30:00Z", 4)).toEqual([
    "2026-11-01T05:00",
    "2026-11-01T06:00",
    "2026-11-01T07:00",
    "2026-11-01T08:00",
  ]);
});

test("zones that are half an hour off, and beyond midnight, are kept", () => {
  expect(runs("0 9 * * 1", "Asia/Kolkata", "2026-03-01T00:00:00Z", 1)).toEqual(["2026-03-02T03:30"]);
  expect(runs("0 9 * * 1", "Pacific/Auckland", "2026-03-01T00:00:00Z", 1)).toEqual(["2026-03-01T20:00"]);
});

test("a leap day comes every fourth year, the 31st in seven months", () => {
  expect(runs("0 0 29 2 *", "Etc/UTC", "2026-01-01T00:00:00Z", 2)).toEqual([
    "2028-02-29T00:00",
    "2032-02-29T00:00",
  ]);
  expect(runs("0 0 31 * *", "Etc/UTC", "2026-01-01T00:00:00Z", 8).map((run) => run.slice(5, 7))).toEqual([
    "01",
    "03",
    "05",
    "07",
    "08",
    "10",
    "12",
    "01",
  ]);
});

test("a schedule that never comes has no next run", () => {
  expect(nextCron("0 0 31 2 *", "Etc/UTC", 0)).toBeUndefined();
  expect(cronPeriod("0 0 31 2 *", "Etc/UTC", 0)).toBeUndefined();
});

test("gaps are told with the shortest, the longest and the usual", () => {
  const from = Date.parse("2026-01-15T00:00:00Z");
  expect(cronGaps("0 0 1 * *", "Etc/UTC", from)).toEqual({
    shortest: 28 * DAY,
    longest: 31 * DAY,
    usual: 31 * DAY,
  });
  expect(cronGaps("0 9-17 * * 1-5", "Etc/UTC", from)).toEqual({
    shortest: HOUR,
    longest: 64 * HOUR,
    usual: HOUR,
  });
  expect(cronGaps("0 10 * * 2", "Europe/Berlin", from)).toEqual({
    shortest: 7 * DAY - HOUR,
    longest: 7 * DAY + HOUR,
    usual: 7 * DAY,
  });
  expect(cronPeriod("*/15 * * * *", "Etc/UTC", from)).toBe(HOUR / 4);
});
