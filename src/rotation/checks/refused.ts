import type { RotationRecord } from "../../journal/document.ts";
import { type Decision, step, stepKey } from "../step.ts";
import { waitEnd } from "../timing.ts";
import type { World } from "../world.ts";
import { hold } from "./common.ts";

/** So many refusals of the same step in one pass are configuration and no weather. */
const MOST_REFUSALS = 3;
/** How often a refused step is tried again while a person is waited for, in milliseconds. */
const TRY_AGAIN_MS = 10 * 60_000;

/** Whether a step is refused because a credential, or a right of it, is gone. */
function isRefusal(code: string): boolean {
  return code === "forbidden" || code === "unauthorized";
}

/** Whether a rotation held for this reason finds out by trying that it may go on. */
export function endsByTrying(reason: string): boolean {
  return isRefusal(reason) || ["clock-skew", "still-accepted", "old-key-refused"].includes(reason);
}

/** Holds when the step has been refused in this pass, time and again: the credential, or a right of it, is gone. */
export function holdIfRefused(world: World, next: Decision): Decision | undefined {
  if (!("step" in next) || "note" in next.step) return undefined;
  const failure = world.failed[stepKey(next.step)];
  if (failure === undefined || failure.count < MOST_REFUSALS || !isRefusal(failure.error.code))
    return undefined;
  const { code, message, hint } = failure.error;
  return hold(code, hint ? `${message}; ${hint}` : message);
}

/** Parked until the step may be tried again, released once it has had its effect. */
export function untilAllowed(
  world: World,
  rotation: RotationRecord,
  held: NonNullable<RotationRecord["hold"]>,
): Decision | undefined {
  if (rotation.phase !== held.phase) return RELEASE;
  if (!isRefusal(held.reason)) return undefined;
  const again = waitEnd(rotation.failures?.at ?? held.since, TRY_AGAIN_MS, world.now);
  if (world.now >= again) return undefined;
  return { parked: { reason: held.reason, says: held.message, until: again } };
}

/** The next step while it is held: a look, a wait or a refused effect itself. Where the rotation would move on, it is released first. */
export function unlessMoved(next: Decision, held: NonNullable<RotationRecord["hold"]>): Decision {
  if (!("step" in next) || "look" in next.step) return next;
  if ("effect" in next.step) return isRefusal(held.reason) ? next : RELEASE;
  if (next.step.note !== "hold") return RELEASE;
  return next.step.code === held.reason ? { parked: { reason: held.reason, says: held.message } } : next;
}

const RELEASE = step(
  { note: "release", why: "what held it is over", requests: [] },
  "allowed-again",
  "goes on, because what held it is over",
);
