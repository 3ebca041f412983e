import type { Clock } from "../../src/lib/clock.ts";

export interface ManualClock extends Clock {
  advance(ms: number): void;
}

/** A clock that moves only when told to, or by what is slept; the event loop turns in every sleep. */
export function manualClock(start = Date.parse("2026-11-21T03:15:00Z")): ManualClock {
  let now = start;
  return {
    now: () => now,
    advance: (ms) => {
      now += ms;
    },
    sleep: (ms) =>
      new Promise((resolve) => {
        now += ms;
        setImmediate(resolve);
      }),
  };
}
