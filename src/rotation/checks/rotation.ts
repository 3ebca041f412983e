import type { RotationRecord } from "../../journal/document.ts";
import { type Decision, step } from "../step.ts";
import type { World } from "../world.ts";
import { back } from "./back.ts";
import { confirmed, disabled } from "./closing.ts";
import { expiryDue } from "./common.ts";
import { promoted } from "./confirming.ts";
import { held } from "./held.ts";
import { planned } from "./planned.ts";
import { staged, verified } from "./staging.ts";

/** The open rotation's next step. */
export function checkRotation(world: World): Decision | undefined {
  const rotation = world.document.rotation;
  if (rotation === undefined) return undefined;
  if (rotation.hold && nearsExpiry(world, rotation))
    return step(
      { note: "supersede", why: "the current key nears its expiry while this rotation is held" },
      "held-expiring",
      "gives up the held rotation, because the current key nears its expiry",
    );
  if (rotation.hold) return held(world, rotation);
  return advance(world, rotation);
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

/** R5: a held rotation must not keep the current key from being replaced before it expires. */
function nearsExpiry(world: World, rotation: RotationRecord): boolean {
  const current = world.document.keys[rotation.field]?.current;
  const record = current && world.document.issued[current.hash];
  const policy = world.policies[rotation.field]?.key;
  if (!record?.expiresAt || !policy) return false;
  return rotation.startedAt < expiryDue(record, policy) && world.now >= expiryDue(record, policy);
}
