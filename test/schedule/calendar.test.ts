import { describe, expect, test } from "vitest";
import type { WindowPolicy } from "../../src/policy/schema.ts";
import { nextCron } from "../../src/schedule/cron.ts";
import { computeDue } from "../../src/schedule/due.ts";
import { windowState } from "../../src/schedule/windows.ts";
import { runs } from "./runs.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** In 2027: Berlin 28 March and 31 October, New York 14 March and 7 November, Lord Howe (half an hour) 3 October and 4 April. */
describe("a time that the clocks skip runs once, right after the gap", () => {
  test.each([
    ["Europe/Berlin", "30 2 * * *", ["2027-03-27T01:30", "2027-03-28T01:00", "2027-03-29T00:30"]],
    ["America/New_York", "30 2 * * *", ["2027-03-13T07:30", "2027-03-14T07:00", "2027-03-15T06:30"]],
    ["Australia/Lord_Howe", "15 2 * * *", ["2027-10-01T15:45", "2027-10-02T15:30", "2027-10-03T15:15"]],
    // The gap begins at midnight.
    ["America/Santiago", "30 0 * * *", ["2027-09-04T04:30", "2027-09-05T04:00", "2027-09-06T03:30"]],
  ])("%s %s", (timezone, expression, expected) => {
    const [first = ""] = expected;
    expect(runs(expression, timezone, `${first.slice(0, 10)}T00:00Z`, 3)).toEqual(expected);
  });

  test.each(["15,45 2 * * *", "*/20 2 * * *", "0-59 2 * * *", "30 2 * * 0", "30 2 28 3 *"])(
    "also where several times of %s are skipped, or it comes but once a week or a year",
    (expression) => {
      const [first, second] = runs(expression, "Europe/Berlin", "2027-03-27T12:00Z", 2);
      expect(first).toBe("2027-03-28T01:00");
      expect(second).not.toContain("2027-03-28");
    },
  );

  test("once also where it was to run right after the gap anyway", () => {
    expect(runs("0,30 2,3 * * *", "Europe/Berlin", "2027-03-27T12:00Z", 3)).toEqual([
      "2027-03-28T01:00",
      "2027-03-28T01:30",
      "2027-03-29T00:00",
    ]);
  });

  test("and not again once it has run", () => {
    expect(runs("30 2 * * *", "Europe/Berlin", "2027-03-28T01:00Z", 1)).toEqual(["2027-03-29T00:30"]);
    expect(runs("30 2 * * *", "Europe/Berlin", "2027-03-28T00:59Z", 1)).toEqual(["2027-03-28T01:00"]);
  });
});

describe("a time that comes twice runs once, at the first", () => {
  test.each([
    ["Europe/Berlin", "30 2 * * *", ["2027-10-30T00:30", "2027-10-31T00:30", "2027-11-01T01:30"]],
    ["America/New_York", "30 1 * * *", ["2027-11-06T05:30", "2027-11-07T05:30", "2027-11-08T06:30"]],
    ["Australia/Lord_Howe", "45 1 * * *", ["2027-04-02T14:45", "2027-04-03T14:45", "2027-04-04T15:15"]],
    ["America/Santiago", "30 23 * * *", ["2027-04-03T02:30", "2027-04-04T02:30", "2027-04-05T03:30"]],
  ])("%s %s", (timezone, expression, expected) => {
    const [first = ""] = expected;
    expect(runs(expression, timezone, `${first.slice(0, 10)}T00:00Z`, 3)).toEqual(expected);
  });

  test("also where several hours or minutes are named", () => {
    expect(runs("30 2,3 * * *", "Europe/Berlin", "2027-10-30T12:00Z", 3)).toEqual([
      "2027-10-31T00:30",
      "2027-10-31T02:30",
      "2027-11-01T01:30",
    ]);
    expect(runs("15,45 2 * * *", "Europe/Berlin", "2027-10-30T12:00Z", 3)).toEqual([
      "2027-10-31T00:15",
      "2027-10-31T00:45",
      "2027-11-01T01:15",
    ]);
  });

  test("whether it is asked between the two or after both", () => {
    for (const after of ["2027-10-31T00:45Z", "2027-10-31T01:15Z", "2027-10-31T01:45Z"])
      expect(runs("30 2 * * *", "Europe/Berlin", after, 1)).toEqual(["2027-11-01T01:30"]);
  });
});

describe("a schedule that names no hour follows real time", () => {
  test.each([
    ["Europe/Berlin", "2027-03-27T23:30Z"],
    ["Europe/Berlin", "2027-10-30T23:30Z"],
    ["America/New_York", "2027-11-07T04:30Z"],
  ])("%s around %s: one run an hour", (timezone, after) => {
    const found = runs("0 * * * *", timezone, after, 4).map((run) => Date.parse(`${run}Z`));
    expect(found.map((at, index) => at - (found[index - 1] ?? at - HOUR))).toEqual(Array(4).fill(HOUR));
  });
});

const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Australia/Lord_Howe",
  "America/Santiago",
  "Asia/Kolkata",
];

test.each(ZONES)("a daily time, whichever it is, runs once on every day of a year in %s", (timezone) => {
  const day = new Intl.DateTimeFormat("sv-SE", { timeZone: timezone, dateStyle: "short" });
  const [begin, end] = [Date.parse("2027-01-05T00:00Z"), Date.parse("2028-01-05T00:00Z")];
  for (const time of ["0 0", "30 0", "15 1", "45 1", "0 2", "30 2", "0 3", "30 23"]) {
    const days: string[] = [];
    for (let at = nextCron(`${time} * * *`, timezone, begin); at !== undefined && at < end; ) {
      days.push(day.format(at));
      at = nextCron(`${time} * * *`, timezone, at);
    }
    expect(days.length, time).toBe(365);
    expect(new Set(days).size, time).toBe(365);
  }
});

describe("dates that do not come every time", () => {
  test("29 February: every fourth year, and not in 2100", () => {
    expect(runs("0 0 29 2 *", "Etc/UTC", "2027-01-01T00:00Z", 2)).toEqual([
      "2028-02-29T00:00",
      "2032-02-29T00:00",
    ]);
    expect(runs("0 0 29 2 *", "Etc/UTC", "2096-03-01T00:00Z", 1)).toEqual(["2104-02-29T00:00"]);
    expect(runs("0 0 29 2 *", "America/New_York", "2028-02-29T04:59Z", 1)).toEqual(["2028-02-29T05:00"]);
  });

  test("the 31st: in seven months, over two changes of the clocks", () => {
    expect(runs("0 0 31 * *", "America/New_York", "2027-01-31T12:00Z", 7)).toEqual([
      "2027-03-31T04:00",
      "2027-05-31T04:00",
      "2027-07-31T04:00",
      "2027-08-31T04:00",
      "2027-10-31T04:00",
      "2027-12-31T05:00",
      "2028-01-31T05:00",
    ]);
  });

  test("the year's end: by the zone's own calendar", () => {
    expect(runs("59 23 31 12 *", "Pacific/Auckland", "2027-06-01T00:00Z", 2)).toEqual([
      "2027-12-31T10:59",
      "2028-12-31T10:59",
    ]);
    expect(runs("0 0 1 1 *", "America/New_York", "2027-12-31T23:00Z", 1)).toEqual(["2028-01-01T05:00"]);
    expect(runs("0 10 * * 5", "Etc/UTC", "2027-12-31T10:00Z", 1)).toEqual(["2028-01-07T10:00"]);
  });
});

describe("when a key is due", () => {
  const dueAt = (schedule: Parameters<typeof computeDue>[0]["schedule"], since: string) => {
    const input = { schedule, timezone: "Europe/Berlin", spread: 0, fraction: 0 };
    return new Date(computeDue({ ...input, since: Date.parse(since) })?.at ?? 0).toISOString().slice(0, 16);
  };

  test("every 30 days: by real time, also over a change of the clocks, a leap day and the year's end", () => {
    expect(dueAt({ every: 30 * DAY }, "2027-03-20T12:00Z")).toBe("2027-04-19T12:00");
    expect(dueAt({ every: 30 * DAY }, "2027-10-10T12:00Z")).toBe("2027-11-09T12:00");
    expect(dueAt({ every: 30 * DAY }, "2028-02-10T12:00Z")).toBe("2028-03-11T12:00");
    expect(dueAt({ every: 30 * DAY }, "2027-12-15T12:00Z")).toBe("2028-01-14T12:00");
  });

  test("one replaced in the hour that comes twice, or right after the gap, is due a day later", () => {
    for (const since of ["2027-10-31T00:30:40Z", "2027-10-31T01:29Z", "2027-10-31T01:31Z"])
      expect(dueAt("30 2 * * *", since)).toBe("2027-11-01T01:30");
    expect(dueAt("30 2 * * *", "2027-03-28T01:00:40Z")).toBe("2027-03-29T00:30");
  });
});

describe("windows over a change of the clocks begin by the local clock and last by the real one", () => {
  const state = (window: WindowPolicy, instant: string, timezone = "Europe/Berlin") => {
    const { open, opensAt } = windowState([window], timezone, Date.parse(instant));
    return open ? "open" : `closed until ${new Date(opensAt ?? 0).toISOString().slice(0, 16)}`;
  };
  const weekend: WindowPolicy = { kind: "deny", schedule: "0 16 * * 5", duration: 64 * HOUR };

  test.each([
    ["in spring", "2027-03-26T15:00Z", "2027-03-29T07:00"],
    ["in autumn", "2027-10-29T14:00Z", "2027-11-01T06:00"],
  ])("a weekend %s", (_, begins, ends) => {
    const before = new Date(Date.parse(begins) - 1).toISOString();
    expect(state(weekend, before)).toBe("open");
    expect(state(weekend, begins)).toBe(`closed until ${ends}`);
    expect(state(weekend, new Date(Date.parse(`${ends}Z`) - 1).toISOString())).toBe(`closed until ${ends}`);
    expect(state(weekend, `${ends}Z`)).toBe("open");
  });

  test("one that begins in the gap begins right after it", () => {
    const night: WindowPolicy = { kind: "deny", schedule: "30 2 * * *", duration: HOUR };
    expect(state(night, "2027-03-28T00:59Z")).toBe("open");
    expect(state(night, "2027-03-28T01:00Z")).toBe("closed until 2027-03-28T02:00");
  });

  test("one that begins in the hour that comes twice begins once", () => {
    const night: WindowPolicy = { kind: "deny", schedule: "30 2 * * *", duration: 20 * MINUTE };
    expect(state(night, "2027-10-31T00:35Z")).toBe("closed until 2027-10-31T00:50");
    expect(state(night, "2027-10-31T01:35Z")).toBe("open");
    const half: WindowPolicy = { ...night, schedule: "45 1 * * *" };
    expect(state(half, "2027-04-03T14:50Z", "Australia/Lord_Howe")).toBe("closed until 2027-04-03T15:05");
    expect(state(half, "2027-04-03T15:20Z", "Australia/Lord_Howe")).toBe("open");
  });

  test("an allow window opens on each day once", () => {
    const morning: WindowPolicy = { kind: "allow", schedule: "30 2 * * *", duration: HOUR };
    expect(state(morning, "2027-03-27T12:00Z")).toBe("closed until 2027-03-28T01:00");
    expect(state(morning, "2027-10-31T00:40Z")).toBe("open");
    expect(state(morning, "2027-10-31T01:40Z")).toBe("closed until 2027-11-01T01:30");
  });
});
