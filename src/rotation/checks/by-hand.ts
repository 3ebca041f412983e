import type { KeyRecord } from "../../journal/document.ts";
import { sameOwner } from "../../lib/owner.ts";
import type { SecretView } from "../../stores/store.ts";
import { type Decision, step } from "../step.ts";
import type { World } from "../world.ts";
import { acceptCurrent, currentFingerprint, recordByFingerprint } from "./common.ts";

/**
 * The store holds another key than the one that the journal knows as current, put there by hand: it
 * is adopted (R13), so that the one before it can end. What cannot be adopted is left for the next
 * start to say.
 */
export function changedByHand(
  world: World,
  field: string,
  view: SecretView,
  record: KeyRecord,
): Decision | undefined {
  const shown = currentFingerprint(view);
  if (shown === undefined || shown === record.current?.fingerprint || view.foreign !== undefined)
    return undefined;
  if (view.owner === undefined || !sameOwner(view.owner, world.owner)) return undefined;
  const known = recordByFingerprint(world, field, shown);
  if (known !== undefined) return acceptCurrent(field, known.hash);
  if (world.failed[`adopt:${field}`] !== undefined) return undefined;
  return step(
    { effect: "adopt", field },
    "adopt",
    "finds out which of the provider's keys was put into the secret by hand",
  );
}
