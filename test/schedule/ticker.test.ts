import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startTicker, type Ticker } from "../../src/schedule/ticker.ts";

const MINUTE = 60_000;
const start = Date.parse("2026-03-02T11:57:30Z");
let ticker: Ticker | undefined;

beforeEach(() => {
  vi.useFakeTimers({ now: start });
});

afterEach(async () => {
  await ticker?.stop();
  vi.useRealTimers();
});

/** Ticks during some minutes, as local times of UTC. */
async function ticksIn(
  minutes: number,
  schedules: { expression: string; timezone: string }[],
  then?: () => void,
) {
  const ticks: string[] = [];
  const errors: unknown[] = [];
  ticker = startTicker({
    schedules,
    onTick: () => {
      ticks.push(new Date().toISOString().slice(11, 16));
      then?.();
    },
    onError: (error) => errors.push(error),
  });
  await vi.advanceTimersByTimeAsync(minutes * MINUTE);
  return { ticks, errors };
}

test("it ticks once a minute, and at each schedule, the same schedule once", async () => {
  const noon = { expression: "0 13 * * *", timezone: "Europe/Berlin" };
  const { ticks } = await ticksIn(4, [noon, noon]);
  expect(ticks).toEqual(["11:58", "11:59", "12:00", "12:00", "12:01"]);
});

test("an error of a tick is handed over, and the next tick comes", async () => {
  const { ticks, errors } = await ticksIn(3, [], () => {
    throw new Error("journal is busy");
  });
  expect(ticks).toHaveLength(3);
  expect(errors.map(String)).toEqual(Array(3).fill("Error: journal is busy"));
});

test("a tick that still runs is not started again by the same schedule", async () => {
  let running = 0;
  let most = 0;
  ticker = startTicker({
    schedules: [],
    onTick: async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2.5 * MINUTE));
      running--;
    },
  });
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(most).toBe(1);
});

test("after stop nothing ticks and no timer is left", async () => {
  const { ticks } = await ticksIn(1, [{ expression: "*/2 * * * *", timezone: "Etc/UTC" }]);
  const before = ticks.length;
  await ticker?.stop();
  await vi.advanceTimersByTimeAsync(10 * MINUTE);
  expect(ticks).toHaveLength(before);
  expect(vi.getTimerCount()).toBe(0);
});

test("it follows other schedules from then on, and those that stay tick on", async () => {
  const at = (minute: number) => ({ expression: `${minute} 12 * * *`, timezone: "Etc/UTC" });
  const ticking = ticksIn(1, [at(0), at(1)]);
  await ticking;
  ticker?.follow([at(1), at(2)]);
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect((await ticking).ticks).toEqual([
    "11:58",
    "11:59",
    "12:00",
    "12:01",
    "12:01",
    "12:02",
    "12:02",
    "12:03",
  ]);
});

test("with thousands of schedules it ticks once a minute, and at each again once there are few", async () => {
  const daily = (minutes: number) => ({
    expression: `${minutes % 60} ${Math.floor(minutes / 60)} * * *`,
    timezone: "Etc/UTC",
  });
  const { ticks } = await ticksIn(
    4,
    Array.from({ length: 1_000 }, (_, minutes) => daily(minutes)),
  );
  expect(ticks).toEqual(["11:58", "11:59", "12:00", "12:01"]);
  ticks.length = 0;
  ticker?.follow([daily(12 * 60 + 3)]);
  await vi.advanceTimersByTimeAsync(3 * MINUTE);
  expect(ticks).toEqual(["12:02", "12:03", "12:03", "12:04"]);
});
