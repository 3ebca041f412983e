import type { Clock } from "../../src/lib/clock.ts";

export interface QuietClock extends Clock {
  set(instant: number): void;
  /** As long as `work` is not done, time stands still. */
  during<T>(work: Promise<T>): Promise<T>;
}

interface Sleeper {
  at: number;
  wake(): void;
}

/**
 * A clock that jumps to the next sleeper's instant as soon as every call that it was told of has
 * been answered and what follows from the answers has run.
 */
export function quietClock(start: number): QuietClock {
  let now = start;
  let sleepers: Sleeper[] = [];
  let inFlight = 0;
  let armed = false;

  function arm(): void {
    if (armed || inFlight > 0 || sleepers.length === 0) return;
    armed = true;
    // By then every microtask has run.
    setImmediate(wakeNext);
  }

  function wakeNext(): void {
    armed = false;
    if (inFlight > 0) return;
    let first: Sleeper | undefined;
    for (const one of sleepers) if (first === undefined || one.at < first.at) first = one;
    if (first === undefined) return;
    now = Math.max(now, first.at);
    first.wake();
    arm();
  }

  return {
    now: () => now,
    set(instant) {
      now = instant;
    },
    async during(work) {
      inFlight += 1;
      try {
        return await work;
      } finally {
        inFlight -= 1;
        arm();
      }
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
        arm();
      }),
  };
}
