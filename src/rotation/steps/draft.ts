import type {
  IssuedRecord,
  KeyRecord,
  Outcome,
  Phase,
  PolicySnapshot,
  RotationRecord,
  TargetDocument,
} from "../../journal/document.ts";
import type { StoredVersion } from "../../stores/store.ts";
import { assertMove } from "../phase.ts";

/** What the changes of the journal are made of. Each works on a copy that is then committed whole. */

export function openRotation(document: TargetDocument): RotationRecord {
  if (document.rotation === undefined) throw new Error("no rotation is open");
  return document.rotation;
}

/** Moves the open rotation to another phase. */
export function enter(document: TargetDocument, phase: Phase, now: number): RotationRecord {
  const rotation = openRotation(document);
  assertMove(rotation.phase, phase);
  rotation.phase = phase;
  rotation.phaseAt = now;
  delete rotation.failures;
  return rotation;
}

export function keyRecord(
  document: TargetDocument,
  field: string,
  name: string,
  provider: string,
): KeyRecord {
  document.keys[field] ??= { name, provider };
  const record = document.keys[field];
  record.name = name;
  record.provider = provider;
  return record;
}

/** Puts a key on its way out. Does nothing to one that is on it already, or that is current. */
export function retire(
  document: TargetDocument,
  record: IssuedRecord | undefined,
  now: number,
  keepFor: number,
  why: string,
  waived?: string[],
): void {
  if (record === undefined || record.retire !== undefined) return;
  if (document.keys[record.field]?.current?.hash === record.hash) return;
  record.retire = { since: now, dueAt: now + keepFor, keepFor, why, ...(waived?.length ? { waived } : {}) };
}

/** Ends the open rotation: what it leaves stands in the key's record, and a walk for lost keys is due. */
export function end(
  document: TargetDocument,
  outcome: Outcome,
  now: number,
  message?: string,
): RotationRecord {
  const rotation = enter(document, outcome, now);
  const record = document.keys[rotation.field] as KeyRecord;
  record.policy = rotation.policy;
  record.last = {
    rotation: rotation.id,
    kind: rotation.kind,
    outcome,
    startedAt: rotation.startedAt,
    at: now,
    ...(rotation.old ? { oldHash: rotation.old.hash } : {}),
    ...(rotation.new ? { newHash: rotation.new.hash } : {}),
    ...(message === undefined ? {} : { message }),
  };
  document.walk = { since: now, field: rotation.field };
  delete document.rotation;
  return rotation;
}

/** Notes the version that holds a key's plaintext now; the one before is kept in mind, to be dropped with the key. */
export function setVersion(record: IssuedRecord, version: string): void {
  if (record.version !== undefined && record.version !== version)
    record.olderVersions = [...(record.olderVersions ?? []), record.version];
  record.version = version;
}

/**
 * A person has put another key into the secret: the one that was current is on its way out, once
 * the consumers show that none of them uses it. Where nobody can be asked it stays.
 */
export function replacedByHand(
  draft: TargetDocument,
  hash: string | undefined,
  snapshot: PolicySnapshot,
  now: number,
): void {
  const { consumers, retire: policy } = snapshot.key;
  if (hash === undefined || consumers === "none") return;
  retire(draft, draft.issued[hash], now, policy.keepDisabledFor, "replaced by hand");
}

/** Notes which version holds the old key's plaintext: a person's edit of another field may have made a newer one. */
export function keepOld(document: TargetDocument, beneath: StoredVersion | undefined): void {
  const { old } = openRotation(document);
  const record = old && document.issued[old.hash];
  if (beneath === undefined || record === undefined || beneath.value?.fingerprint() !== old?.fingerprint)
    return;
  setVersion(record, beneath.version);
}
