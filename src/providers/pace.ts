import PQueue from "p-queue";
import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";

export interface RateLimit {
  requestsPerSecond: number;
  concurrency: number;
}

export interface Pace {
  /**
   * Runs `call` when its turn comes. Throws RotationError `throttled`, with nothing sent, when the
   * provider has asked for more patience than anybody should wait for inside a call.
   */
  run<T>(call: () => Promise<T>): Promise<T>;
  /** The provider asked for `ms` of silence: no call begins before that, whoever makes it. */
  hold(ms: number): void;
}

/** The longest silence that is sat out within a call, in milliseconds. */
export const LONGEST_WAIT = 30_000;

/**
 * At most `concurrency` calls at once and `requestsPerSecond` begun in any second. `onThrottled` is
 * told, in milliseconds, of each wait for a place in that second and for the provider's silence.
 */
export function pace(limit: RateLimit, clock: Clock, onThrottled?: (ms: number) => void): Pace {
  const queue = new PQueue({ concurrency: limit.concurrency });
  const burst = Math.max(1, Math.floor(limit.requestsPerSecond));
  const windowMs = (burst / limit.requestsPerSecond) * 1000;
  /** Of the calls of the latest window, oldest first. */
  let starts: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  let silence = { from: 0, ms: 0 };

  function silentMs(): number {
    const now = clock.now();
    // A clock set back must not lengthen what was asked for.
    return now < silence.from ? 0 : Math.max(0, silence.from + silence.ms - now);
  }

  async function sitOutSilence(): Promise<void> {
    for (let ms = silentMs(); ms > 0; ms = silentMs()) {
      if (ms > LONGEST_WAIT) {
        throw new RotationError("throttled", `asked to wait ${Math.ceil(ms / 1000)} s before the next call`, {
          retryAfterMs: ms,
        });
      }
      await throttled(ms);
    }
  }

  async function throttled(ms: number): Promise<void> {
    await clock.sleep(ms);
    onThrottled?.(ms);
  }

  /** Milliseconds until a place in the window is free; takes it. */
  function takePlace(): number {
    const now = clock.now();
    if (now < latest) {
      // Set back: what began "later" than any call can be waiting for says nothing any more.
      const furthest = now + windowMs * Math.ceil(limit.concurrency / burst);
      starts = starts.filter((start) => start <= furthest);
    }
    latest = now;
    const oldest = starts.length < burst ? undefined : starts.shift();
    const start = oldest === undefined ? now : Math.max(now, oldest + windowMs);
    starts.push(start);
    return start - now;
  }

  async function turn(): Promise<void> {
    do {
      await sitOutSilence();
      const ms = takePlace();
      if (ms > 0) await throttled(ms);
    } while (silentMs() > 0);
  }

  return {
    run: (call) =>
      queue.add(async () => {
        await turn();
        return call();
      }),
    hold(ms) {
      if (ms > silentMs()) silence = { from: clock.now(), ms };
    },
  };
}
