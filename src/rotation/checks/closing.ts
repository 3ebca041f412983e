import type { RotationRecord } from "../../journal/document.ts";
import { describeMissing, requiredConsumers, sweptEnough, unconfirmed } from "../evidence.ts";
import { shortHash } from "../names.ts";
import { type Decision, step, wait } from "../step.ts";
import { DISABLE_LIMIT_MS, PROVIDER_POLL_MS, STORE_FRESH_MS, waitEnd } from "../timing.ts";
import type { Evidence, Question, World } from "../world.ts";
import {
  along,
  evidenceFor,
  foreign,
  gateForKey,
  hold,
  needAccepted,
  needIssued,
  needStore,
  rotationQuestion,
  sweepOrWait,
} from "./common.ts";
import { totalUsage } from "./confirming.ts";

const COMPLETED: Decision = step({ note: "completed" }, "completed", "the rotation is complete");

/** Confirmed: both keys live for `retire.after`, then the old one is disabled, upon fresh evidence (R3, R4). */
export function confirmed(world: World, rotation: RotationRecord): Decision {
  const old = rotation.old && world.document.issued[rotation.old.hash];
  if (rotation.old === undefined || old === undefined) return COMPLETED;
  if (old.disable?.acknowledged !== undefined) return seenRefused(world, rotation, old.disable.acknowledged);
  const { retire } = rotation.policy.key;
  const end = waitEnd(rotation.phaseAt, retire.after, world.now);
  if (old.distrusted) return disableOld(rotation, old.hash);
  if (retire.requireQuiet && rotation.usage === undefined) {
    const usage = needIssued(world, rotation.field, old.hash, rotation.phaseAt);
    if ("decision" in usage) return usage.decision;
    return step(
      { note: "quiet", usage: totalUsage(usage.fact.value), restart: false },
      "usage",
      "notes how much the old key was used",
    );
  }
  if (world.now < end)
    return wait(end, "overlap", `both keys live until the overlap of the policy has passed`);
  const closed = gateForKey(world, rotation.field, old.hash);
  if (closed) return closed;
  const question = rotationQuestion(rotation, "forward") as Question;
  const evidence = evidenceFor(world, question);
  const relapse = relapsed(world, rotation, question, evidence);
  if (relapse) return relapse;
  if (!proves(rotation, evidence, retire.after === 0 ? 0 : end))
    return sweepOrWait(world, question, "consumers to confirm again");
  if (retire.requireQuiet) {
    const usage = needIssued(world, rotation.field, old.hash, end);
    if ("decision" in usage) return usage.decision;
    const now = totalUsage(usage.fact.value);
    if (now > (rotation.usage?.value ?? 0))
      return step(
        { note: "quiet", usage: now, restart: true },
        "still-used",
        "the old key was used meanwhile; the overlap starts again",
      );
  }
  const store = needStore(world, rotation.field, evidence?.lastAt ?? world.now - STORE_FRESH_MS);
  if ("decision" in store) return store.decision;
  return foreign(world, store.fact.value, [rotation.new?.fingerprint]) ?? disableOld(rotation, old.hash);
}

function disableOld(rotation: RotationRecord, hash: string): Decision {
  return step(
    { effect: "disable", hash, field: rotation.field },
    "disable",
    `disables the old key ${shortHash(hash)} at the provider`,
  );
}

/** A disabled key counts as disabled once the provider refuses it. */
function seenRefused(world: World, rotation: RotationRecord, acknowledged: number): Decision {
  const hash = rotation.old?.hash as string;
  const last = world.accepted[hash];
  const refused = step(
    { note: "disabled" },
    "refused",
    `the provider refuses the old key ${shortHash(hash)}`,
  );
  if (last && last.at >= acknowledged && last.value !== true) return refused;
  if (last && last.at >= acknowledged && world.now < last.at + PROVIDER_POLL_MS)
    return wait(last.at + PROVIDER_POLL_MS, "disable-delay", `key ${shortHash(hash)} to be refused`);
  if (last && last.at >= acknowledged && world.now > waitEnd(acknowledged, DISABLE_LIMIT_MS, world.now))
    return stillAccepted(world, rotation, hash, acknowledged);
  const accepted = needAccepted(
    world,
    rotation.field,
    hash,
    Math.max(acknowledged, world.now - PROVIDER_POLL_MS + 1),
  );
  if ("fact" in accepted) return refused;
  const { watch, keepDisabledFor } = rotation.policy.key.retire;
  const deletedNext = watch === 0 && keepDisabledFor === 0 && last === undefined;
  return deletedNext
    ? along(accepted.decision, needStore(world, rotation.field, acknowledged))
    : accepted.decision;
}

/**
 * A key that the provider shows enabled was enabled by somebody since, or the journal is older than
 * that: it is disabled anew, upon fresh evidence as ever (R3). Of one that it shows disabled a person is told.
 */
function stillAccepted(world: World, rotation: RotationRecord, hash: string, acknowledged: number): Decision {
  const shown = needIssued(world, rotation.field, hash, acknowledged + DISABLE_LIMIT_MS);
  if ("decision" in shown) return shown.decision;
  if (shown.fact.value?.disabled !== false)
    return hold(
      "still-accepted",
      `the provider goes on accepting key ${shortHash(hash)} although it is disabled`,
    );
  if (world.document.issued[hash]?.distrusted) return disableOld(rotation, hash);
  return step(
    { effect: "enable", hash, field: rotation.field },
    "enabled-since",
    `finds the old key ${shortHash(hash)} enabled at the provider, and takes it for enabled`,
  );
}

/** Disabled: consumers must go on answering for `retire.watch`; a relapse gives the old key back at once. */
export function disabled(world: World, rotation: RotationRecord): Decision {
  const { retire } = rotation.policy.key;
  const old = rotation.old && world.document.issued[rotation.old.hash];
  if (old?.distrusted) return COMPLETED;
  const end = waitEnd(rotation.phaseAt, retire.watch, world.now);
  const question = rotationQuestion(rotation, "forward") as Question;
  if (requiredConsumers(rotation.policy.key, rotation.waived).length === 0)
    return world.now < end ? wait(end, "watch", "the watch after disabling to pass") : COMPLETED;
  const evidence = evidenceFor(world, question);
  const missing = unconfirmed(rotation.policy.key, rotation.waived ?? [], evidence);
  const lapsed = missing.filter((name) => evidence?.consumers[name]?.streak === 0);
  if (lapsed.length > 0)
    return step(
      { note: "back-to-promoted" },
      "relapse",
      `a consumer relapsed with the old key disabled (${describeMissing(lapsed, evidence)})`,
    );
  if (world.now >= end && proves(rotation, evidence, retire.watch === 0 ? 0 : end)) return COMPLETED;
  return sweepOrWait(
    world,
    question,
    "watches the consumers with the old key disabled",
    end > world.now ? end : undefined,
  );
}

/** Sweeps enough were made in this pass, and they no longer confirm: back to waiting, with the old key alive. */
function relapsed(
  world: World,
  rotation: RotationRecord,
  question: Question,
  evidence: Evidence | undefined,
): Decision | undefined {
  const missing = unconfirmed(question.policy, rotation.waived ?? [], evidence);
  if (missing.length === 0 || !sweptEnough(question.policy, evidence)) return undefined;
  if (world.now < (evidence?.lastAt ?? 0)) return undefined;
  return step(
    { note: "back-to-promoted" },
    "relapse",
    `a consumer relapsed (${describeMissing(missing, evidence)})`,
  );
}

/** Whether the sweeps of this pass prove, now, that every consumer uses the new key; the latest began at `notBefore` or later. */
function proves(rotation: RotationRecord, evidence: Evidence | undefined, notBefore: number): boolean {
  const { key: policy } = rotation.policy;
  if (requiredConsumers(policy, rotation.waived).length === 0) return true;
  if (evidence === undefined || evidence.lastAt < notBefore) return false;
  return unconfirmed(policy, rotation.waived ?? [], evidence).length === 0;
}
