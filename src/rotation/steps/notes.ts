import type {
  IssuedRecord,
  KeyRecord,
  PolicySnapshot,
  RotationRecord,
  TargetDocument,
} from "../../journal/document.ts";
import { type Random, randomId } from "../../lib/random.ts";
import type { IssuedKey } from "../../providers/provider.ts";
import { retryAt } from "../../schedule/due.ts";
import { setInstantsRight } from "../journal-clock.ts";
import { intendedName } from "../names.ts";
import { inheritedFrom } from "../settings.ts";
import type { Note } from "../step.ts";
import type { World } from "../world.ts";
import { end, enter, keepOld, keyRecord, openRotation, replacedByHand, retire, setVersion } from "./draft.ts";

export interface NoteParts {
  world: World;
  random: Random;
  /** The sentence of the step; what a hold, a block or a failure shows. */
  says: string;
}

type NoteOf<K extends Note["note"]> = Extract<Note, { note: K }>;
type Reducers = { [K in Note["note"]]: (draft: TargetDocument, note: NoteOf<K>, parts: NoteParts) => void };

const REDUCERS: Reducers = {
  answer: () => {},
  settle: (draft, note) => settle(draft, note.intent, note.as),
  schedule: (draft, note) => {
    const record = draft.keys[note.field] as KeyRecord;
    if (note.due) record.due = note.due;
    else delete record.due;
  },
  block: (draft, note, { world, says }) => {
    const { key } = world.policies[note.field] as PolicySnapshot;
    draft.keys[note.field] ??= { name: key.name, provider: key.provider };
    const record = draft.keys[note.field] as KeyRecord;
    record.blocked = { reason: note.code, message: says, since: world.now };
  },
  unblock: (draft, note) => {
    delete draft.keys[note.field]?.blocked;
  },
  overdue: (draft, note) => {
    const record = draft.keys[note.field];
    if (record) record.overdue = note.due;
  },
  "accept-current": (draft, note, parts) => acceptCurrent(draft, note.field, note.hash, parts),
  start,
  intend: (draft, _, parts) => intend(draft, parts),
  staged: (draft, note, { world }) => stagedNow(draft, note, world.now),
  lost: (draft, note, { world }) => {
    const rotation = openRotation(draft);
    retire(draft, draft.issued[note.hash], world.now, 0, "its plaintext was lost");
    rotation.lost = (rotation.lost ?? 0) + 1;
    delete rotation.new;
    delete rotation.intent;
  },
  verified: (draft, _, { world }) => {
    const rotation = enter(draft, "verified", world.now);
    const record = draft.issued[rotation.new?.hash as string] as IssuedRecord;
    record.mayBeCurrent = true;
    learn(record, world.issued[record.hash]?.value);
    if (rotation.new) rotation.new.label ||= record.label ?? "";
  },
  promoted: (draft, _, { world }) => promoted(draft, world.now),
  confirmed: (draft, _, { world }) => {
    enter(draft, "confirmed", world.now);
  },
  "back-to-promoted": (draft, _, { world }) => {
    const rotation = enter(draft, "promoted", world.now);
    rotation.confirmingSince = world.now;
    delete rotation.usage;
    // What has lost the key is told to read it again.
    delete rotation.reloads;
  },
  quiet: (draft, note, { world }) => {
    const rotation = openRotation(draft);
    rotation.usage = { value: note.usage, at: world.now };
    if (note.restart) rotation.phaseAt = world.now;
  },
  disabled: (draft, _, { world }) => {
    enter(draft, "disabled", world.now);
  },
  completed: (draft, _, { world }) => completed(draft, world.now),
  hold: (draft, note, { world }) => {
    const rotation = openRotation(draft);
    rotation.hold = { reason: note.code, message: note.message, since: world.now, phase: rotation.phase };
  },
  release: (draft, note, { world }) => {
    const rotation = openRotation(draft);
    delete rotation.hold;
    rotation.releasedAt = world.now;
    rotation.confirmingSince = world.now;
    if (note.waive?.length) rotation.waived = [...new Set([...(rotation.waived ?? []), ...note.waive])];
  },
  revert: (draft, note, { world }) => {
    const rotation = enter(draft, "reverting", world.now);
    rotation.revert = { why: note.why, asked: note.asked };
    rotation.confirmingSince = world.now;
    delete rotation.reloads;
    delete rotation.hold;
  },
  "promoted-back": (draft, note, { world }) => promotedBack(draft, note.version, world.now),
  reverted: (draft, _, parts) => reverted(draft, parts),
  fail: (draft, note, parts) => failed(draft, note.message, parts),
  supersede: (draft, note, { world }) => superseded(draft, note.why, world.now),
  distrust,
  unretire: (draft, note) => {
    delete draft.issued[note.hash]?.retire;
  },
  "retire-again": (draft, note, { world }) => {
    const keepFor = world.policies[note.field]?.key.retire.keepDisabledFor ?? 0;
    retire(draft, draft.issued[note.hash], world.now, keepFor, "it is current no more");
  },
  drift: (draft, note, { world }) => {
    const record = draft.keys[note.field];
    if (record) record.drift = { hash: note.hash, at: world.now, differs: note.differs };
  },
  walked: (draft) => {
    delete draft.walk;
  },
  "give-up": giveUp,
  clock: (draft, _, { world }) => setInstantsRight(draft, world.now),
};

/** Carries out a change of the journal alone, on a draft of the document. Pure but for random names. */
export function applyNote<K extends Note["note"]>(
  draft: TargetDocument,
  note: NoteOf<K>,
  parts: NoteParts,
): void {
  const reduce = REDUCERS[note.note] as (draft: TargetDocument, note: NoteOf<K>, parts: NoteParts) => void;
  reduce(draft, note, parts);
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
  const before = record.current?.hash;
  record.current = { hash, fingerprint: issued.fingerprint as string, version, since: world.now };
  setVersion(issued, version);
  issued.mayBeCurrent = true;
  delete issued.retire;
  replacedByHand(draft, before, snapshot, world.now);
}

function start(
  draft: TargetDocument,
  note: Extract<Note, { note: "start" }>,
  { world, random }: NoteParts,
): void {
  const snapshot = (world.policies[note.field] ?? draft.keys[note.field]?.policy) as PolicySnapshot;
  const record = keyRecord(draft, note.field, snapshot.key.name, snapshot.key.provider);
  delete record.blocked;
  if (record.due && record.due.at <= world.now) record.served = record.due.at;
  const settings = record.current && draft.issued[record.current.hash]?.settings;
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
      ? {
          old: {
            hash: record.current.hash,
            fingerprint: record.current.fingerprint,
            version: record.current.version,
            ...(settings === undefined ? {} : { settings }),
          },
        }
      : {}),
    ...(target === undefined
      ? {}
      : {
          new: {
            hash: target.hash,
            label: target.label ?? "",
            ...(target.fingerprint ? { fingerprint: target.fingerprint } : {}),
          },
        }),
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
  keepOld(draft, note.beneath);
  const intent = rotation.intent === undefined ? undefined : draft.intents[rotation.intent];
  if (intent) {
    intent.hash = note.hash;
    intent.settled = "issued";
  }
  draft.issued[note.hash] ??= {
    hash: note.hash,
    field: rotation.field,
    provider: rotation.policy.key.provider,
    origin: "issued",
    ...(intent ? { name: intent.name } : {}),
  };
  const record = draft.issued[note.hash] as IssuedRecord;
  if (note.fingerprint !== undefined) record.fingerprint ??= note.fingerprint;
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

/** What the reply to the creation said, where it could not be journalled: as the provider shows it now. */
function learn(record: IssuedRecord, seen: IssuedKey | undefined): void {
  if (seen === undefined) return;
  record.settings ??= { ...inheritedFrom(seen) };
  if (seen.label !== undefined) record.label ??= seen.label;
  if (seen.createdAt) record.createdAt ??= Date.parse(seen.createdAt);
  if (seen.expiresAt) record.expiresAt ??= Date.parse(seen.expiresAt);
}

function giveUp(draft: TargetDocument, note: NoteOf<"give-up">, { world }: NoteParts): void {
  const { hash, name, field, version, base, fingerprint } = note;
  draft.issued[hash] = {
    hash,
    field,
    provider: draft.intents[name]?.provider ?? "",
    origin: "issued",
    name,
    version,
    promotionBase: base,
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  retire(draft, draft.issued[hash], world.now, 0, "staged by a rotation that had ended");
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
  retire(
    draft,
    draft.issued[rotation.new?.hash ?? ""],
    now,
    0,
    `given up in rotation ${rotation.id}`,
    rotation.waived,
  );
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
  const at = retryAt(policy, count, world.now, world.fraction);
  const { expiresAt } = draft.issued[record.current?.hash ?? ""] ?? {};
  const left = expiresAt === undefined ? Infinity : expiresAt - world.now;
  // R5: a backoff must not outlast the current key.
  record.retry = { at: left > 0 ? Math.min(at, world.now + Math.max(left / 2, 60_000)) : at, count };
}

/** Both keys of the superseded rotation that are not current are on their way out. */
function superseded(draft: TargetDocument, why: string, now: number): void {
  const rotation = end(draft, "superseded", now, why);
  for (const hash of [rotation.old?.hash, rotation.new?.hash]) {
    if (hash === undefined) continue;
    retire(
      draft,
      draft.issued[hash],
      now,
      0,
      `left by rotation ${rotation.id}, which was superseded`,
      rotation.waived,
    );
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
    {
      note: "start",
      field: note.field,
      kind: "revoke",
      actor: note.actor,
      why: `revoked by ${note.actor}`,
      requests: [],
    },
    parts,
  );
}
