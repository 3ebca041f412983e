import { expect, test } from "vitest";
import type { WindowPolicy } from "../../src/policy/schema.ts";
import { windowState } from "../../src/schedule/windows.ts";

const HOUR = 3_600_000;
const weekend: WindowPolicy = { kind: "deny", schedule: "0 16 * * 5", duration: 64 * HOUR };
const mornings: WindowPolicy = { kind: "allow", schedule: "0 8 * * 1-5", duration: 2 * HOUR };

function at(windows: WindowPolicy[], instant: string, timezone = "Etc/UTC") {
  const { open, opensAt, why } = windowState(windows, timezone, Date.parse(instant));
  return open ? "open" : `${why}, until ${opensAt === undefined ? "never" : new Date(opensAt).toISOString()}`;
}

test("without windows it is always open", () => {
  expect(at([], "2026-03-06T18:00:00Z")).toBe("open");
});

test("a deny window closes from its start to its end, the end excluded", () => {
  const closed = 'deny window "0 16 * * 5", until 2026-03-09T08:00:00.000Z';
  expect(at([weekend], "2026-03-06T15:59:59.999Z")).toBe("open");
  expect(at([weekend], "2026-03-06T16:00:00Z")).toBe(closed);
  expect(at([weekend], "2026-03-09T07:59:59.999Z")).toBe(closed);
  expect(at([weekend], "2026-03-09T08:00:00Z")).toBe("open");
});

test("outside every allow window it is closed until the next one", () => {
  const evenings: WindowPolicy = { kind: "allow", schedule: "0 20 * * 1-5", duration: HOUR };
  expect(at([mornings], "2026-03-06T09:00:00Z")).toBe("open");
  expect(at([mornings], "2026-03-06T10:00:00Z")).toBe(
    'outside the allow windows "0 8 * * 1-5", until 2026-03-09T08:00:00.000Z',
  );
  expect(at([mornings, evenings], "2026-03-06T10:00:00Z")).toContain("until 2026-03-06T20:00:00.000Z");
  expect(at([mornings, evenings], "2026-03-06T20:30:00Z")).toBe("open");
});

test("deny outranks allow, and the opening found is one that both leave open", () => {
  const mondays: WindowPolicy = { kind: "deny", schedule: "0 0 * * 1", duration: 24 * HOUR };
  expect(at([mornings, mondays], "2026-03-09T08:30:00Z")).toBe(
    'deny window "0 0 * * 1", until 2026-03-10T08:00:00.000Z',
  );
});

test("windows that run into one another close as one", () => {
  const minutes: WindowPolicy = { kind: "deny", schedule: "* 9-16 * * *", duration: 60_000 };
  expect(at([minutes], "2026-03-06T09:00:00Z")).toContain("until 2026-03-06T17:00:00.000Z");
});

test("windows that leave no opening have no end", () => {
  const days: WindowPolicy = { kind: "deny", schedule: "0 0 * * *", duration: 24 * HOUR };
  expect(at([days], "2026-03-06T09:00:00Z")).toContain("until never");
});

test("a window starts by the local clock and lasts by the real one", () => {
  const night: WindowPolicy = { kind: "deny", schedule: "0 1 * * *", duration: 3 * HOUR };
  expect(at([night], "2026-03-29T00:30:00Z", "Europe/Berlin")).toContain("until 2026-03-29T03:00:00.000Z");
});
