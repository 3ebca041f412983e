import { expect, test } from "vitest";
import { pollDelay } from "../../src/probes/poll.ts";

test("polling starts fast, grows and stays at the interval", () => {
  const delays = Array.from({ length: 12 }, (_, attempt) => pollDelay(attempt, 5_000));
  expect(delays.slice(0, 4)).toEqual([100, 160, 256, 410]);
  expect(delays).toEqual(delays.toSorted((a, b) => a - b));
  expect(delays.at(-1)).toBe(5_000);
  expect(pollDelay(10_000, 5_000)).toBe(5_000);
});

test("an interval shorter than the first delay is kept", () => {
  expect(pollDelay(0, 50)).toBe(50);
});
