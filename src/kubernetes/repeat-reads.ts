import pRetry from "p-retry";
import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";

export type RepeatRead = <T>(read: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

export interface RepeatParts {
  clock: Clock;
  random: Random;
  /** Told of each wait after the API server has throttled a read, in milliseconds. */
  onThrottled?: (ms: number) => void;
}

const TRIES = 4;
const FIRST_WAIT = 250;
/** Whoever is asked for more patience than this decides for himself. */
const LONGEST_WAIT = 10_000;

/** Repeats a read on throttling, lost connections and failures of the server: at most four times in all, with jittered, doubling waits. */
export function repeatReads({ clock, random, onThrottled }: RepeatParts): RepeatRead {
  return (read, signal) =>
    pRetry(read, {
      retries: TRIES - 1,
      // The waiting is done below by our clock; p-retry's own timers would not know virtual time.
      minTimeout: 0,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!mayPass(error) || signal?.aborted) return false;
        const jittered = FIRST_WAIT * 2 ** (attemptNumber - 1) * (0.5 + random.fraction());
        const pause = Math.max(Math.round(jittered), error.retryAfterMs ?? 0);
        await clock.sleep(pause, signal);
        if (error.code === "throttled") onThrottled?.(pause);
        return !signal?.aborted;
      },
    });
}

function mayPass(error: Error): error is RotationError {
  return (
    error instanceof RotationError &&
    ["throttled", "unreachable", "unclear"].includes(error.code) &&
    (error.retryAfterMs ?? 0) <= LONGEST_WAIT
  );
}
