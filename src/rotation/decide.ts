import { checkClock } from "./checks/clock.ts";
import type { Check } from "./checks/common.ts";
import { checkDrift } from "./checks/drift.ts";
import { checkDue } from "./checks/due.ts";
import { checkIntents } from "./checks/intents.ts";
import { checkLeftBehind } from "./checks/left-behind.ts";
import { checkOverdue } from "./checks/overdue.ts";
import { checkRequests } from "./checks/requests.ts";
import { checkRetirements, checkRevokedNow } from "./checks/retire.ts";
import { checkRotation } from "./checks/rotation.ts";
import { checkCurrentEnabled } from "./checks/safety.ts";
import { type Decision, patient } from "./step.ts";
import type { World } from "./world.ts";

/** In order of precedence. The first that has something to do decides; waits, failed steps among them, and idleness yield to later ones. */
const CHECKS: readonly Check[] = [
  checkClock,
  checkRequests,
  checkCurrentEnabled,
  checkRevokedNow,
  checkRotation,
  checkRetirements,
  checkIntents,
  checkLeftBehind,
  checkDrift,
  checkDue,
  checkOverdue,
];

/**
 * The next safe step for one target, from what is known of the world. Pure: the same world gives
 * the same decision. When every check waits or is idle, the earliest instant is the answer; an open
 * rotation's own wait is preferred over the others' as the reason shown.
 */
export function decide(world: World): Decision {
  let waiting: Decision | undefined;
  let parked: Decision | undefined;
  let until: number | undefined;
  for (const check of CHECKS) {
    const checked = check(world);
    if (checked === undefined) continue;
    const decision = patient(world, checked);
    if ("step" in decision) return decision;
    const instant =
      "wait" in decision
        ? decision.wait.until
        : "parked" in decision
          ? decision.parked.until
          : decision.idle.until;
    if (instant !== undefined) until = Math.min(until ?? instant, instant);
    if ("wait" in decision) waiting ??= decision;
    if ("parked" in decision) parked ??= decision;
  }
  if (waiting && "wait" in waiting) return { wait: { ...waiting.wait, until: until ?? waiting.wait.until } };
  if (parked && "parked" in parked)
    return { parked: { ...parked.parked, ...(until === undefined ? {} : { until }) } };
  return { idle: until === undefined ? {} : { until } };
}
