import type { Clock } from "../../lib/clock.ts";
import { asUnclear, RotationError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";

export interface Outside {
  clock: Clock;
  random: Random;
}

/** Thrown within an attempt when somebody else's write came first: what was read is no longer true. */
export class Overtaken extends Error {}

/** How long a call of the journal waits in all, in milliseconds: far less than a lease lasts. */
const PATIENCE_MS = 10_000;
const MOST_OVERTAKEN = 40;
/** The same for a process that was stopped, or slept, in between. */
const FEW_OVERTAKEN = 5;
const MOST_FAILURES = 6;
const FIRST_PAUSE_MS = 10;
const LONGEST_OVERTAKEN_MS = 320;
const FIRST_WAIT_MS = 250;

/**
 * Makes one read-modify-write, and makes it again, from its reads on, when it was overtaken, and
 * on weather, for about ten seconds. A write that was not answered may be found done by the next
 * attempt. Throws `busy` when others write without end, `unclear` when the last word on a write
 * stays out, else what the attempt throws.
 */
export async function persist<T>(
  what: string,
  { clock, random }: Outside,
  attempt: () => Promise<T>,
): Promise<T> {
  const began = clock.now();
  let overtaken = 0;
  let failures = 0;
  let mayHaveLanded = false;
  for (;;) {
    let pause: number;
    try {
      return await attempt();
    } catch (thrown) {
      const late = Math.abs(clock.now() - began) >= PATIENCE_MS;
      if (thrown instanceof Overtaken) {
        overtaken += 1;
        if (overtaken >= (late ? FEW_OVERTAKEN : MOST_OVERTAKEN)) throw crowded(what);
        if (overtaken === 1) continue;
        pause = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(overtaken - 2, 9), LONGEST_OVERTAKEN_MS);
      } else {
        if (!mayPass(thrown)) throw thrown;
        failures += 1;
        mayHaveLanded ||= thrown.code === "unclear" || thrown.code === "malformed";
        pause = Math.max(FIRST_WAIT_MS * 2 ** (failures - 1), thrown.retryAfterMs ?? 0);
        // However late it is, a write without an answer is looked for once.
        const enough = late && !(mayHaveLanded && failures === 1);
        if (enough || failures >= MOST_FAILURES || pause >= PATIENCE_MS)
          throw mayHaveLanded ? asUnclear(thrown) : thrown;
      }
    }
    await clock.sleep(Math.round(pause * (0.5 + random.fraction())));
  }
}

function mayPass(thrown: unknown): thrown is RotationError {
  return (
    thrown instanceof RotationError &&
    ["throttled", "unreachable", "unclear", "malformed"].includes(thrown.code)
  );
}

function crowded(what: string): RotationError {
  return new RotationError("busy", `${what} is changed by others over and over, and could not be written`, {
    hint: "find out what keeps changing it: kubectl get -o yaml shows its managers under managedFields",
  });
}
