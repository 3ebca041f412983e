import fc from "fast-check";
import { expect, test } from "vitest";
import { computeDue, type DueInput, dueBasis, retryAt } from "../../src/schedule/due.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const since = Date.parse("2026-03-02T12:00:00Z");
const weekly: DueInput = { schedule: "0 10 * * 2", timezone: "Etc/UTC", spread: 0, since, fraction: 0 };

function due(changes: Partial<DueInput>) {
  const found = computeDue({ ...weekly, ...changes });
  return found && `${found.why} ${new Date(found.at).toISOString()}`;
}

test("a key is due at the schedule's next instant after it became current", () => {
  expect(due({})).toBe("schedule 2026-03-03T10:00:00.000Z");
  expect(due({ since: Date.parse("2026-03-03T10:00:00Z") })).toBe("schedule 2026-03-10T10:00:00.000Z");
  expect(due({ schedule: { every: 30 * DAY } })).toBe("schedule 2026-04-01T12:00:00.000Z");
});

test("without schedule and expiry nothing is due", () => {
  expect(due({ schedule: "none" })).toBeUndefined();
});

test("an expiry makes a key due a third of its life before it, or as renewBefore says", () => {
  const expiresAt = since + 20 * DAY;
  const none = { schedule: "none", expiresAt, createdAt: since - 10 * DAY } as const;
  expect(due(none)).toBe(`expiry ${new Date(expiresAt - 10 * DAY).toISOString()}`);
  expect(due({ ...none, renewBefore: 2 * DAY })).toBe(
    `expiry ${new Date(expiresAt - 2 * DAY).toISOString()}`,
  );
  expect(due({ ...none, createdAt: undefined, expiresAt: since + 3 * DAY })).toBe(
    `expiry ${new Date(since + 2 * DAY).toISOString()}`,
  );
});

test("the earlier of schedule and expiry counts", () => {
  expect(due({ expiresAt: since + 90 * DAY })).toBe("schedule 2026-03-03T10:00:00.000Z");
  expect(due({ schedule: { every: 90 * DAY }, expiresAt: since + 30 * DAY })).toContain("expiry");
});

test("a key past its renewal is due already", () => {
  expect(due({ schedule: "none", expiresAt: since + HOUR, createdAt: since - 90 * DAY })).toBe(
    `expiry ${new Date(since + HOUR - (90 * DAY + HOUR) / 3).toISOString()}`,
  );
});

test("jitter moves a scheduled instant within the spread, never an expiry", () => {
  expect(due({ spread: HOUR, fraction: 0.5 })).toBe("schedule 2026-03-03T10:30:00.000Z");
  expect(due({ schedule: "none", spread: HOUR, fraction: 0.5, expiresAt: since + 3 * DAY })).toBe(
    "expiry 2026-03-04T12:00:00.000Z",
  );
});

test("no jitter makes a key due later than its expiry asks for, nor earlier than its schedule", () => {
  const span = fc.integer({ min: 1, max: 400 * DAY });
  fc.assert(
    fc.property(
      span,
      span,
      span,
      span,
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (every, life, renewBefore, spread, fraction) => {
        const expiresAt = since + life;
        const found = computeDue({
          ...weekly,
          schedule: { every },
          spread,
          fraction,
          expiresAt,
          renewBefore,
        });
        expect(found?.at).toBeLessThanOrEqual(expiresAt - renewBefore);
        expect(found?.at).toBeGreaterThanOrEqual(Math.min(since + every, expiresAt - renewBefore));
        expect(found?.at).toBeLessThan(since + every + spread);
      },
    ),
  );
});

test("the basis changes with whatever decides, and not with the jitter", () => {
  const basis = dueBasis(weekly);
  expect(computeDue({ ...weekly, fraction: 0.9 })?.basis).toBe(basis);
  const changes: Partial<DueInput>[] = [
    { schedule: "0 11 * * 2" },
    { schedule: { every: DAY } },
    { timezone: "Europe/Berlin" },
    { spread: 1 },
    { renewBefore: 0 },
    { since: since + 1 },
    { expiresAt: since + DAY },
  ];
  const others = changes.map((change) => dueBasis({ ...weekly, ...change }));
  expect(new Set([basis, ...others]).size).toBe(changes.length + 1);
});

test("retries back off from after to max, and jitter only shortens them", () => {
  const retry = { after: HOUR, max: 24 * HOUR };
  const waits = [1, 2, 3, 4, 5, 6, 7, 5_000].map((count) => (retryAt(retry, count, since, 0) - since) / HOUR);
  expect(waits).toEqual([1, 2, 4, 8, 16, 24, 24, 24]);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (count, fraction) => {
        const [full, at] = [retryAt(retry, count, since, 0), retryAt(retry, count, since, fraction)];
        expect(at).toBeLessThanOrEqual(full);
        expect(at - since).toBeGreaterThanOrEqual(0.8 * (full - since) - 1);
      },
    ),
  );
});
