import type { RotationRecord } from "../../journal/document.ts";
import type { Decision } from "../step.ts";
import type { World } from "../world.ts";
import { back } from "./back.ts";
import { confirmed, disabled } from "./closing.ts";
import { promoted } from "./confirming.ts";
import { yieldToExpiry } from "./expiring.ts";
import { held } from "./held.ts";
import { planned } from "./planned.ts";
import { endsByTrying, holdIfRefused, unlessMoved, untilAllowed } from "./refused.ts";
import { staged, verified } from "./staging.ts";

/** The open rotation's next step. */
export function checkRotation(world: World): Decision | undefined {
  const rotation = world.document.rotation;
  if (rotation === undefined) return undefined;
  if (rotation.hold) return yieldToExpiry(world, rotation) ?? heldOrAgain(world, rotation, rotation.hold);
  const next = advance(world, rotation);
  return holdIfRefused(world, next) ?? next;
}

function heldOrAgain(
  world: World,
  rotation: RotationRecord,
  hold: NonNullable<RotationRecord["hold"]>,
): Decision {
  if (!endsByTrying(hold.reason)) return held(world, rotation);
  return untilAllowed(world, rotation, hold) ?? unlessMoved(advance(world, rotation), hold);
}

/** The next step of a rotation that is not held. */
export function advance(world: World, rotation: RotationRecord): Decision {
  switch (rotation.phase) {
    case "planned":
      return planned(world, rotation);
    case "staged":
      return staged(world, rotation);
    case "verified":
      return verified(world, rotation);
    case "promoted":
      return promoted(world, rotation);
    case "confirmed":
      return confirmed(world, rotation);
    case "disabled":
      return disabled(world, rotation);
    case "reverting":
      return back(world, rotation);
    default:
      throw new Error(`an ended rotation is still open: ${rotation.phase}`);
  }
}
