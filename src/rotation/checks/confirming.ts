import type { RotationRecord } from "../../journal/document.ts";
import type { KeyPolicy } from "../../policy/schema.ts";
import { describeMissing, sweptEnough, unconfirmed, underWay } from "../evidence.ts";
import { shortHash } from "../names.ts";
import { type Decision, patient, step, wait } from "../step.ts";
import { PROVIDER_POLL_MS, STORE_FRESH_MS, stepBackoff, waitEnd } from "../timing.ts";
import type { Question, World } from "../world.ts";
import {
  along,
  evidenceFor,
  foreign,
  hold,
  mayReturn,
  needIssued,
  needStore,
  rotationQuestion,
  sweepOrWait,
} from "./common.ts";

/** Promoted: every instance of every consumer must serve with the new key and hold the old one no more. */
export function promoted(world: World, rotation: RotationRecord): Decision {
  const { key: policy } = rotation.policy;
  const old = rotation.old && world.document.issued[rotation.old.hash];
  if (old?.disable && !old.distrusted && !old.delete) {
    const enable = patient(world, giveBack(rotation, old.hash));
    // Where it cannot be enabled, somebody may have replaced the new key long since.
    return "step" in enable ? enable : (replaced(world, rotation) ?? enable);
  }
  const question = rotationQuestion(rotation, "forward") as Question;
  const reload = dueReload(world, rotation, question);
  const changed = replaced(world, rotation);
  if (changed) {
    const unasked = reload === undefined && evidenceFor(world, question) === undefined;
    return unasked ? along(changed, { decision: sweepOrWait(world, question, "") }) : changed;
  }
  if (reload) return reload;
  const evidence = evidenceFor(world, question);
  const missing = unconfirmed(policy, rotation.waived ?? [], evidence);
  const unused = missing.length === 0 ? usageSeen(world, rotation) : undefined;
  if (missing.length === 0 && unused === undefined) return confirm(policy);
  const timeout = waitEnd(rotation.confirmingSince ?? rotation.phaseAt, policy.confirm.timeout, world.now);
  if (unused && (!("wait" in unused) || world.now < timeout)) return unused;
  const says =
    unused && "wait" in unused ? `waits for ${unused.wait.says}` : describeMissing(missing, evidence);
  if (world.now >= timeout && sweptEnough(policy, evidence) && !underWay(missing, evidence))
    return timedOut(world, rotation, says);
  return sweepOrWait(world, question, says, timeout > world.now ? timeout : undefined);
}

function giveBack({ field }: RotationRecord, hash: string): Decision {
  return step(
    { effect: "enable", hash, field },
    "relapse-enable",
    `enables key ${shortHash(hash)} again, because a consumer still needs it`,
  );
}

/** Whether current is another than the new key; undefined when it is that one. */
function replaced(world: World, rotation: RotationRecord): Decision | undefined {
  const notBefore = Math.max(rotation.phaseAt, world.now - STORE_FRESH_MS);
  const store = needStore(world, rotation.field, notBefore);
  if ("decision" in store) return store.decision;
  return foreign(world, store.fact.value, [rotation.new?.fingerprint]);
}

function confirm(policy: KeyPolicy): Decision {
  return policy.consumers === "none"
    ? step({ note: "confirmed" }, "no-consumers", "has no consumers to ask; the policy says so")
    : step({ note: "confirmed" }, "confirmed", "every instance of every consumer uses the new key");
}

function timedOut(world: World, rotation: RotationRecord, says: string): Decision {
  const { key: policy } = rotation.policy;
  if (rotation.kind === "revoke")
    return step(
      { note: "confirmed" },
      "revoke-unconfirmed",
      `goes on without confirmation, because the old key is distrusted (${says})`,
    );
  const old = rotation.old && world.document.issued[rotation.old.hash];
  if (
    policy.confirm.onTimeout === "rollback" &&
    rotation.kind === "rotate" &&
    old &&
    mayReturn(world, old, policy)
  )
    return step(
      { note: "revert", why: `not confirmed in time: ${says}`, asked: false, requests: [] },
      "confirm-timeout",
      `goes back to key ${shortHash(old.hash)}: ${says}`,
    );
  return hold("consumers-unconfirmed", `not confirmed in time: ${says}`);
}

/** Reload hooks run once after promotion, again with backoff while they fail, and again after a relapse. */
export function dueReload(world: World, rotation: RotationRecord, question: Question): Decision | undefined {
  if (question.policy.consumers === "none") return undefined;
  for (const consumer of question.policy.consumers) {
    if (consumer.reload === undefined) continue;
    const state = rotation.reloads?.[consumer.name];
    if (state?.done) continue;
    if (state !== undefined && world.now < waitEnd(state.at, stepBackoff(state.attempts, 0.5), world.now))
      continue;
    return step(
      { effect: "reload", consumer: consumer.name, question },
      "reload",
      `tells ${consumer.name} to read its key again`,
    );
  }
  return undefined;
}

/** `evidence: usage`: the provider's counters must show the new key in use and the old one quiet. */
export function usageSeen(world: World, rotation: RotationRecord): Decision | undefined {
  const { consumers, confirm: timing } = rotation.policy.key;
  if (consumers === "none" || !consumers.some((consumer) => consumer.probe.evidence === "usage"))
    return undefined;
  const every = Math.max(timing.interval, PROVIDER_POLL_MS);
  const fresh = rotation.new?.hash as string;
  const used = needIssued(world, rotation.field, fresh, rotation.phaseAt);
  if ("decision" in used) return used.decision;
  if (totalUsage(used.fact.value) === 0) {
    const again = used.fact.at + every;
    if (world.now < again) return wait(again, "usage", "the new key to be used");
    return step(
      { look: "issued", field: rotation.field, hash: fresh },
      "look-key",
      "asks the provider again whether the new key is used",
    );
  }
  if (rotation.old === undefined) return undefined;
  const { hash } = rotation.old;
  const quiet = needIssued(world, rotation.field, hash, rotation.phaseAt);
  if ("decision" in quiet) return quiet.decision;
  const usage = totalUsage(quiet.fact.value);
  if (rotation.usage?.value !== usage)
    return step({ note: "quiet", usage, restart: false }, "usage", "notes how much the old key was used");
  const end = waitEnd(rotation.usage.at, every * timing.successThreshold, world.now);
  if (world.now < end) return wait(end, "usage", "the old key to stay quiet");
  const still = needIssued(world, rotation.field, hash, end);
  return "decision" in still ? still.decision : undefined;
}

export function totalUsage(key: { usage?: number; byokUsage?: number } | undefined): number {
  return (key?.usage ?? 0) + (key?.byokUsage ?? 0);
}
