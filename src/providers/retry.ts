import pRetry from "p-retry";
import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { Log } from "./exchange.ts";
import { LONGEST_WAIT } from "./pace.ts";

export type Repeat = <T>(call: () => Promise<T>) => Promise<T>;

const TRIES = 4;
const FIRST_WAIT = 500;

/**
 * Repeats a call on weather, at most four times in all, with jittered, doubling waits. For calls
 * that may be repeated: never for create. What a provider's Retry-After asks for is waited for by
 * its pace; one longer than is sat out there ends the tries.
 */
export function repeater(parts: {
  name: string;
  clock: Clock;
  random: Random;
  log?: Log;
  /** Told of each wait after a 429, in milliseconds. */
  onThrottled?: (ms: number) => void;
}): Repeat {
  return (call) =>
    pRetry(call, {
      retries: TRIES - 1,
      // The waiting is done below by our clock; p-retry's own timers would not know virtual time.
      minTimeout: 0,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!mayPass(error)) return false;
        const ms = Math.round(FIRST_WAIT * 2 ** (attemptNumber - 1) * (0.5 + parts.random.fraction()));
        parts.log?.("warn", `${error.message}; trying again`, {
          provider: parts.name,
          attempt: attemptNumber,
          waitMs: ms,
        });
        await parts.clock.sleep(ms);
        if (isThrottled(error)) parts.onThrottled?.(ms);
        return true;
      },
    });
}

function isThrottled(error: Error): boolean {
  return error instanceof RotationError && error.code === "throttled";
}

/** Whether the same call may do better in a moment. A redirect or a page in place of the API will not. */
function mayPass(error: Error): boolean {
  if (!(error instanceof RotationError)) return false;
  if ((error.retryAfterMs ?? 0) > LONGEST_WAIT) return false;
  const oddAnswer = error.code === "malformed" && error.status !== undefined && error.status < 300;
  return oddAnswer || ["throttled", "unreachable", "unclear"].includes(error.code);
}
