import type { IssuedRecord, KeyRecord, PolicySnapshot, RotationRecord, TargetDocument } from "../../journal/document.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { retryAt } from "../../schedule/due.ts";
import { intendedName } from "../names.ts";
import type { Note } from "../step.ts";
import type { World } from "../world.ts";
import { end, enter, keyRecord, openRotation, retire, setVersion } from "./draft.ts";

export interface NoteParts {
  world: World;
  random: Random;
  /** The sentence of the step; what a hold, a block or a failure shows. */
  says: string;
}

/** Carries out a change of the journal alone, on a draft of the document. Pure but for random names. */
export function applyNote(draft: TargetDocument, note: Note, parts: NoteParts): void {
  const { now } = parts.world;
  switch (note.note) {
    case "answer":
    case "settle":
      if (note.note === "settle") settle(draft, note.intent, note.as);
      return;
    case "schedule": {
      const record = draft.keys[note.field] as KeyRecord;
      if (note.due) record.due = note.due;
      else delete record.due;
      return;
    }
    case "block": {
      const snapshot = parts.world.policies[note.field] as PolicySnapshot;
      const record = (draft.keys[note.field] ??= { name: snapshot.key.name, provider: snapshot.key.provider });
      record.blocked = { reason: note.code, message: parts.says, since: now };
      return;
    }
    case "unblock":
      delete draft.keys[note.field]?.blocked;
      return;
    case "accept-current":
      return acceptCurrent(draft, note.field, note.hash, parts);
    case "start":
      return start(draft, note, parts);
    case "intend":
      return intend(draft, parts);
    case "staged":
      return stagedNow(draft, note, now);
    case "lost": {
      const rotation = openRotation(draft);
      retire(draft, draft.issued[note.hash], now, 0, "its plaintext was lost");
      delete rotation.new;
      delete rotation.intent;
      return;
    }
    case "verified": {
      const rotation = enter(draft, "verified", now);
      const record = draft.issued[rotation.new?.hash as string] as IssuedRecord;
      record.mayBeCurrent = true;
      return;
    }
    case "promoted":
      return promoted(draft, now);
    case "confirmed":
      enter(draft, "confirmed", now);
      return;
    case "back-to-promoted": {
      const rotation = enter(draft, "promoted", now);
      rotation.confirmingSince = now;
      delete rotation.usage;
      return;
    }
    case "quiet": {
      const rotation = openRotation(draft);
      rotation.usage = { value: note.usage, at: now };
      if (note.restart) rotation.phaseAt = now;
      return;
    }
    case "disabled":
      enter(draft, "disabled", now);
      return;
    case "completed":
      return completed(draft, now);
    case "hold": {
      const rotation = openRotation(draft);
      rotation.hold = { reason: note.code, message: note.message, since: now };
      return;
    }
    case "release": {
      const rotation = openRotation(draft);
      delete rotation.hold;
      rotation.releasedAt = now;
      rotation.confirmingSince = now;
      if (note.waive?.length) rotation.waived = [...new Set([...(rotation.waived ?? []), ...note.waive])];
      return;
    }
    case "revert": {
      const rotation = enter(draft, "reverting", now);
      rotation.revert = { why: note.why, asked: note.asked };
      rotation.confirmingSince = now;
      delete rotation.reloads;
      delete rotation.hold;
      return;
    }
    case "promoted-back":
      return promotedBack(draft, note.version, now);
    case "reverted":
      return reverted(draft, parts);
    case "fail":
      return failed(draft, note.message, parts);
    case "supersede":
      return superseded(draft, note.why, now);
    case "distrust":
      return distrust(draft, note, parts);
    case "unretire":
      delete draft.issued[note.hash]?.retire;
      return;
    case "walked":
      delete draft.walk;
      return;
  }
}

function settle(draft: TargetDocument, name: string, as: "absent" | "issued"): void {
  const intent = draft.intents[name];
  if (intent === undefined) return;
  intent.settled = as;
  if (as === "absent") intent.absences = (intent.absences ?? 0) + 1;
}

function acceptCurrent(draft: TargetDocument, field: string, hash: string, { world }: NoteParts): void {
  const snapshot = world.policies[field] as PolicySnapshot;
  const issued = draft.issued[hash] as IssuedRecord;
  const record = keyRecord(draft, field, snapshot.key.name, snapshot.key.provider);
  const version = world.store[field]?.value.current?.version as string;
  record.current = { hash, fingerprint: issued.fingerprint as string, version, since: world.now };
  setVersion(issued, version);
  issued.mayBeCurrent = true;
  delete issued.retire;
}

function start(draft: TargetDocument, note: Extract<Note, { note: "start" }>, { world, random }: NoteParts): void {
  const snapshot = (world.policies[note.field] ?? draft.keys[note.field]?.policy) as PolicySnapshot;
  const record = keyRecord(draft, note.field, snapshot.key.name, snapshot.key.provider);
  delete record.blocked;
  const hasOld = note.kind !== "provision" && record.current !== undefined;
  const target = note.target === undefined ? undefined : draft.issued[note.target];
  draft.rotation = {
    id: randomId(random),
    kind: note.kind,
    field: note.field,
    phase: "planned",
    startedAt: world.now,
    phaseAt: world.now,
    actor: note.actor,
    reason: note.why,
    policy: snapshot,
    ...(hasOld && record.current
      ? { old: { hash: record.current.hash, fingerprint: record.current.fingerprint, version: record.current.version } }
      : {}),
    ...(target === undefined
      ? {}
      : { new: { hash: target.hash, label: target.label ?? "", ...(target.fingerprint ? { fingerprint: target.fingerprint } : {}) } }),
  };
  if (target) delete target.retire;
}

function intend(draft: TargetDocument, { world, random }: NoteParts): void {
  const rotation = openRotation(draft);
  const { installation, key } = rotation.policy;
  const name = intendedName(installation, key.name, world.now, random);
  rotation.intent = name;
  draft.intents[name] = {
    name,
    rotation: rotation.id,
    field: rotation.field,
    provider: key.provider,
    plannedAt: world.now,
    ...(key.settings.workspaceId === undefined ? {} : { workspace: key.settings.workspaceId }),
  };
}

function stagedNow(draft: TargetDocument, note: Extract<Note, { note: "staged" }>, now: number): void {
  const rotation = enter(draft, "staged", now);
  const intent = rotation.intent === undefined ? undefined : draft.intents[rotation.intent];
  if (intent) {
    intent.hash = note.hash;
    intent.settled = "issued";
  }
  const record = (draft.issued[note.hash] ??= {
    hash: note.hash,
    field: rotation.field,
    provider: rotation.policy.key.provider,
    origin: "issued",
    ...(intent ? { name: intent.name } : {}),
  });
  setVersion(record, note.version);
  record.promotionBase = note.base;
  rotation.new = {
    label: record.label ?? "",
    ...rotation.new,
    hash: note.hash,
    version: note.version,
    base: note.base,
    ...(record.fingerprint === undefined ? {} : { fingerprint: record.fingerprint }),
  };
}

/** Current is the new key, as the store shows. */
function promoted(draft: TargetDocument, now: number): void {
  const rotation = enter(draft, "promoted", now);
  const fresh = rotation.new as { hash: string; version: string; fingerprint: string };
  const record = draft.keys[rotation.field] as KeyRecord;
  record.current = { hash: fresh.hash, fingerprint: fresh.fingerprint, version: fresh.version, since: now };
  rotation.confirmingSince = now;
  delete rotation.reloads;
  delete (draft.issued[fresh.hash] as IssuedRecord).promotionBase;
}

/** Current is the old key's value again, as a new version. */
function promotedBack(draft: TargetDocument, version: string, now: number): void {
  const rotation = openRotation(draft);
  const old = rotation.old as NonNullable<RotationRecord["old"]>;
  const record = draft.keys[rotation.field] as KeyRecord;
  record.current = { hash: old.hash, fingerprint: old.fingerprint, version, since: now };
  rotation.confirmingSince = now;
  const given = draft.issued[rotation.new?.hash ?? ""];
  if (given) delete given.promotionBase;
}

function completed(draft: TargetDocument, now: number): void {
  const rotation = openRotation(draft);
  const { keepDisabledFor } = rotation.policy.key.retire;
  const old = rotation.old && draft.issued[rotation.old.hash];
  const keepFor = old?.distrusted ? 0 : keepDisabledFor;
  end(draft, "completed", now);
  delete (draft.keys[rotation.field] as KeyRecord).retry;
  retire(draft, old, now, keepFor, `replaced in rotation ${rotation.id}`, rotation.waived);
}

function reverted(draft: TargetDocument, parts: NoteParts): void {
  const { now } = parts.world;
  const rotation = openRotation(draft);
  const message = rotation.revert?.why;
  const asked = rotation.revert?.asked === true;
  end(draft, "reverted", now, message);
  if (!asked) scheduleRetry(draft, rotation.field, parts);
  retire(draft, draft.issued[rotation.new?.hash ?? ""], now, 0, `given up in rotation ${rotation.id}`, rotation.waived);
}

function failed(draft: TargetDocument, message: string, parts: NoteParts): void {
  const { now } = parts.world;
  const rotation = openRotation(draft);
  end(draft, "failed", now, message);
  scheduleRetry(draft, rotation.field, parts);
  retire(draft, draft.issued[rotation.new?.hash ?? ""], now, 0, `given up in rotation ${rotation.id}`);
}

function scheduleRetry(draft: TargetDocument, field: string, { world }: NoteParts): void {
  const record = draft.keys[field] as KeyRecord;
  const policy = record.policy?.key.retry;
  if (policy === undefined) return;
  const count = (record.retry?.count ?? 0) + 1;
  record.retry = { at: retryAt(policy, count, world.now, world.fraction), count };
}

/** Both keys of the superseded rotation that are not current are on their way out. */
function superseded(draft: TargetDocument, why: string, now: number): void {
  const rotation = end(draft, "superseded", now, why);
  for (const hash of [rotation.old?.hash, rotation.new?.hash]) {
    if (hash === undefined) continue;
    retire(draft, draft.issued[hash], now, 0, `left by rotation ${rotation.id}, which was superseded`, rotation.waived);
  }
}

/** R12: everything issued until now is distrusted; a replacement is planned in the same write. */
function distrust(draft: TargetDocument, note: Extract<Note, { note: "distrust" }>, parts: NoteParts): void {
  const { now } = parts.world;
  if (draft.rotation) superseded(draft, `revoked by ${note.actor}`, now);
  for (const record of Object.values(draft.issued)) {
    if (record.field !== note.field) continue;
    record.distrusted = true;
    const isCurrent = draft.keys[note.field]?.current?.hash === record.hash;
    if (isCurrent && !note.immediately) continue;
    record.retire = {
      since: now,
      dueAt: now,
      keepFor: 0,
      why: `revoked by ${note.actor}`,
      ...(note.immediately ? { immediately: true } : {}),
    };
  }
  start(
    draft,
    { note: "start", field: note.field, kind: "revoke", actor: note.actor, why: `revoked by ${note.actor}`, requests: [] },
    parts,
  );
}
