import type { RotationRecord } from "../../journal/document.ts";
import { describeMissing, sweptEnough, unconfirmed } from "../evidence.ts";
import { type Decision, step } from "../step.ts";
import { STORE_FRESH_MS } from "../timing.ts";
import type { World } from "../world.ts";
import { evidenceFor, foreign, needStore, rotationQuestion, sweepOrWait } from "./common.ts";
import { dueReload, usageSeen } from "./confirming.ts";

/** Held reasons that end by themselves once the consumers confirm. */
const ENDS_BY_CONFIRMATION = ["consumers-unconfirmed", "revert-unconfirmed"];

/** A held rotation: both keys live, and it ends by confirmation, by what held it going away, or by a person. */
export function held(world: World, rotation: RotationRecord): Decision {
  const hold = rotation.hold as NonNullable<RotationRecord["hold"]>;
  const parked = (until?: number): Decision => ({
    parked: { reason: hold.reason, says: hold.message, ...(until === undefined ? {} : { until }) },
  });
  const store = needStore(world, rotation.field, world.now - STORE_FRESH_MS);
  if ("decision" in store) return store.decision;
  const asExpected = foreign(world, store.fact.value, expectedCurrent(rotation)) === undefined;
  if (hold.reason === "foreign-current" || hold.reason === "rival-owner") {
    if (!asExpected) return parked(world.now + rotation.policy.key.confirm.interval);
    return step(
      { note: "release", why: "the secret is ours and holds an expected value again", requests: [] },
      "foreign-gone",
      "goes on, because the secret is ours and holds an expected value again",
    );
  }
  if (!ENDS_BY_CONFIRMATION.includes(hold.reason) || !asExpected) return parked();
  const question = rotationQuestion(rotation, rotation.phase === "reverting" ? "back" : "forward");
  if (question === undefined) return parked();
  const reload = dueReload(world, rotation, question);
  if (reload) return reload;
  const evidence = evidenceFor(world, question);
  const missing = unconfirmed(question.policy, rotation.waived ?? [], evidence);
  const unused =
    missing.length === 0 && rotation.phase === "promoted" ? usageSeen(world, rotation) : undefined;
  if (unused) return "wait" in unused ? parked(unused.wait.until) : unused;
  if (missing.length === 0)
    return step(
      { note: "release", why: "every consumer has confirmed", requests: [] },
      "confirmed-late",
      "goes on, because every consumer has confirmed",
    );
  const next = sweepOrWait(world, question, describeMissing(missing, evidence));
  if ("wait" in next && sweptEnough(question.policy, evidence)) return parked(next.wait.until);
  return next;
}

/** The fingerprints that current may have while this rotation is open. */
function expectedCurrent(rotation: RotationRecord): (string | undefined)[] {
  if (rotation.phase === "promoted" || rotation.phase === "confirmed" || rotation.phase === "disabled")
    return [rotation.new?.fingerprint];
  if (rotation.phase === "reverting") return [rotation.new?.fingerprint, rotation.old?.fingerprint];
  return [rotation.old?.fingerprint];
}
