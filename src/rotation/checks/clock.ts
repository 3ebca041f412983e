import { clockWentBack } from "../journal-clock.ts";
import { type Decision, step } from "../step.ts";
import type { World } from "../world.ts";

/** R15: what the journal dates later than it can be would be waited for until the clock is there again. */
export function checkClock(world: World): Decision | undefined {
  return clockWentBack(world.document, world.now)
    ? step({ note: "clock" }, "clock-went-back", "the clock went back; waits count from now")
    : undefined;
}
