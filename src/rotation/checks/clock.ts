import { clockWentBack } from "../journal-clock.ts";
import { type Decision, step } from "../step.ts";
import { STORE_FRESH_MS } from "../timing.ts";
import type { World } from "../world.ts";
import { needIssued, needList, skewed, snapshotFor } from "./common.ts";

/**
 * R15: what the journal dates later than it can be would be waited for until the clock is there
 * again. Either it was written while the clock was ahead, or the clock is behind now, and the
 * provider's clock tells which: a clock that is wrong now must not rewrite what a right one wrote.
 */
export function checkClock(world: World): Decision | undefined {
  if (!clockWentBack(world.document, world.now)) return undefined;
  const notBefore = world.now - STORE_FRESH_MS;
  for (const [field, { current }] of Object.entries(world.document.keys)) {
    const provider = snapshotFor(world, field)?.key.provider;
    if (provider === undefined) continue;
    const heard = current
      ? needIssued(world, field, current.hash, notBefore)
      : needList(world, field, provider, notBefore);
    if ("decision" in heard) return heard.decision;
    if (skewed(world, provider)) return undefined;
  }
  return step({ note: "clock" }, "clock-went-back", "the clock went back; waits count from now");
}
