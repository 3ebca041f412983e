import type { RotationRecord } from "../../journal/document.ts";
import { describeMissing, sweptEnough, unconfirmed, underWay } from "../evidence.ts";
import { shortHash } from "../names.ts";
import { type Decision, patient, step, wait } from "../step.ts";
import { ACTIVATION_LIMIT_MS, PROVIDER_POLL_MS, STORE_FRESH_MS, waitEnd } from "../timing.ts";
import type { Question, World } from "../world.ts";
import {
  evidenceFor,
  foreign,
  hold,
  needAccepted,
  needStore,
  rotationQuestion,
  sweepOrWait,
} from "./common.ts";
import { dueReload } from "./confirming.ts";

/** Reverting: the old value becomes current as a new version (R1), and every consumer confirms the old key. */
export function back(world: World, rotation: RotationRecord): Decision {
  const old = rotation.old as NonNullable<RotationRecord["old"]>;
  const unready = oldKeyReady(world, rotation, old.hash);
  const unsafe = unready && patient(world, unready);
  // Where the old key cannot be made ready, somebody may have replaced both long since.
  if (unsafe && !("wait" in unsafe)) return unsafe;
  const store = needStore(world, rotation.field, Math.max(rotation.phaseAt, world.now - STORE_FRESH_MS));
  if ("decision" in store) return store.decision;
  if (unsafe) return foreign(world, store.fact.value, [old.fingerprint, rotation.new?.fingerprint]) ?? unsafe;
  const view = store.fact.value;
  const { revert } = rotation;
  if (revert?.version === undefined || view.current?.version !== revert.version) {
    const changed = foreign(world, view, [old.fingerprint, rotation.new?.fingerprint]);
    if (changed) return changed;
    if (revert?.version !== undefined && view.base === revert.base)
      return (
        oldKeyRefused(world, rotation, old.hash, world.now - STORE_FRESH_MS) ??
        step(
          { effect: "promote-back", version: revert.version, base: view.base },
          "promote-back",
          `makes the value of key ${shortHash(old.hash)} the store's current again`,
        )
      );
    return step(
      { effect: "put-back", base: view.base },
      "put-back",
      `stages the value of key ${shortHash(old.hash)} as a new version`,
    );
  }
  if (world.document.keys[rotation.field]?.current?.version !== revert.version)
    return step(
      { note: "promoted-back", version: revert.version },
      "promoted-back-found",
      `finds the value of key ${shortHash(old.hash)} current again`,
    );
  return confirmOld(world, rotation);
}

/** R2: only a key with no unacknowledged disable or delete may become current again, and only once it is accepted. */
function oldKeyReady(world: World, rotation: RotationRecord, hash: string): Decision | undefined {
  const record = world.document.issued[hash];
  if (record === undefined || record.delete || record.distrusted || record.unsure)
    return hold(
      "old-key-gone",
      `key ${shortHash(hash)} cannot become current again; run \`rotate --now\` to replace the current key`,
    );
  if (record.disable)
    return step(
      { effect: "enable", hash, field: rotation.field },
      "revert-enable",
      `enables key ${shortHash(hash)} at the provider`,
    );
  return rotation.revert?.version === undefined
    ? oldKeyRefused(world, rotation, hash, rotation.phaseAt)
    : undefined;
}

/** Whether the old key is not accepted, by a look no older than `notBefore`; what was true when it was staged may be so no more. */
function oldKeyRefused(
  world: World,
  rotation: RotationRecord,
  hash: string,
  notBefore: number,
): Decision | undefined {
  const accepted = needAccepted(world, rotation.field, hash, notBefore);
  if ("decision" in accepted) return accepted.decision;
  if (accepted.fact.value === undefined)
    return hold(
      "old-key-gone",
      `the store no longer keeps the plaintext of key ${shortHash(hash)}; run \`rotate --now\` to replace the current key`,
    );
  if (accepted.fact.value) return undefined;
  if (world.now - rotation.phaseAt > ACTIVATION_LIMIT_MS)
    return hold(
      "old-key-refused",
      `the provider goes on refusing key ${shortHash(hash)}; run \`rotate --now\` to replace the current key`,
    );
  const again = accepted.fact.at + PROVIDER_POLL_MS;
  return world.now < again
    ? wait(again, "activation", `key ${shortHash(hash)} to be accepted again`)
    : step(
        { look: "accepted", field: rotation.field, hash },
        "look-accepted",
        `tries key ${shortHash(hash)} again`,
      );
}

function confirmOld(world: World, rotation: RotationRecord): Decision {
  const question = rotationQuestion(rotation, "back") as Question;
  const reload = dueReload(world, rotation, question);
  if (reload) return reload;
  const evidence = evidenceFor(world, question);
  const missing = unconfirmed(question.policy, rotation.waived ?? [], evidence);
  if (missing.length === 0)
    return step({ note: "reverted" }, "reverted", "every consumer uses the old key again");
  const says = describeMissing(missing, evidence);
  const timeout = waitEnd(
    rotation.confirmingSince ?? rotation.phaseAt,
    question.policy.confirm.timeout,
    world.now,
  );
  if (world.now >= timeout && sweptEnough(question.policy, evidence) && !underWay(missing, evidence))
    return hold("revert-unconfirmed", `the old value is current again, but not confirmed in time: ${says}`);
  return sweepOrWait(world, question, says, timeout > world.now ? timeout : undefined);
}
