import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/lib/clock.ts";

/** A clock that jumps to the next sleeper's instant once nothing else has anything left to do. */
export function virtualClock(
  start = Date.parse("2027-03-10T12:00:00Z"),
): Clock & { set(instant: number): void } {
  let now = start;
  let sleepers: { at: number; wake: () => void }[] = [];
  let running = false;

  async function run(): Promise<void> {
    if (running) return;
    running = true;
    while (sleepers.length > 0) {
      for (let turn = 0; turn < 20; turn++) await setImmediate();
      const [first] = sleepers.sort((a, b) => a.at - b.at);
      if (!first) continue;
      now = Math.max(now, first.at);
      first.wake();
    }
    running = false;
  }

  return {
    now: () => now,
    set(instant) {
      now = instant;
    },
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { at: now + ms, wake };
        function wake() {
          sleepers = sleepers.filter((other) => other !== sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        }
        signal?.addEventListener("abort", wake, { once: true });
        sleepers.push(sleeper);
        void run();
      }),
  };
}
