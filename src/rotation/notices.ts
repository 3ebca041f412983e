import { createHash } from "node:crypto";
import type {
  NewEvent,
  NoticeRecord,
  Outcome,
  PolicySnapshot,
  RotationRecord,
  TargetDocument,
} from "../journal/document.ts";
import { toldOf } from "../policy/notify.ts";
import { holdHint } from "./hold-hint.ts";

/** Where a change was made. */
interface Place {
  /** Id of the journal. */
  journal: string;
  target: string;
  /** The present policy's keys of the target, by field. */
  policies: Readonly<Record<string, PolicySnapshot>>;
}

/** Something that a change of the document has brought about. */
interface Happening {
  event: NoticeRecord["event"];
  field: string;
  /** With event and rotation it names this one among all: the same change has the same. */
  instant: number;
  rotation?: RotationRecord;
  more: Partial<NoticeRecord>;
}

/** Longer than any sentence of ours; an outbox must have room for many. */
const LONGEST_TEXT = 1_000;

/**
 * The notices to be committed with a change of the document, for what somebody is to be told of.
 * Who is told of what is no part of how a rotation ends: the present policy says it while it has the
 * key, and only then the policy that the rotation began with.
 */
export function noticesOf(
  before: TargetDocument,
  after: TargetDocument,
  told: NewEvent,
  place: Place,
): NoticeRecord[] {
  return [
    ...ended(before, after),
    ...reached(before.rotation, after.rotation),
    ...overdue(before, after),
  ].flatMap(({ event, field, instant, rotation, more }) => {
    const snapshot = place.policies[field] ?? rotation?.policy ?? after.keys[field]?.policy;
    if (snapshot === undefined || toldOf(snapshot.key, event).length === 0) return [];
    const notice = {
      id: idOf(place, rotation?.id ?? field, event, instant),
      target: place.target,
      field,
      event,
      at: told.at,
      installation: snapshot.installation,
      key: rotation?.policy.key.name ?? snapshot.key.name,
      provider: snapshot.key.provider,
      actor: told.actor,
      reason: told.reason,
      message: told.message,
      ...(rotation && factsOf(rotation)),
      ...more,
    };
    return [{ ...notice, message: notice.message.slice(0, LONGEST_TEXT) }];
  });
}

function factsOf({
  id,
  kind,
  phase,
  startedAt,
  actor,
  old,
  new: fresh,
}: RotationRecord): Partial<NoticeRecord> {
  return {
    rotation: id,
    kind,
    phase,
    startedAt,
    actor,
    ...(old ? { oldHash: old.hash } : {}),
    ...(fresh ? { newHash: fresh.hash } : {}),
  };
}

const TOLD_OUTCOMES: readonly Outcome[] = ["completed", "reverted", "failed"];

function ended({ rotation }: TargetDocument, after: TargetDocument): Happening[] {
  if (rotation === undefined || after.rotation?.id === rotation.id) return [];
  const { last, retry } = after.keys[rotation.field] ?? {};
  if (last?.rotation !== rotation.id || !TOLD_OUTCOMES.includes(last.outcome)) return [];
  const { outcome, at, message, newHash } = last;
  const deleteAt = outcome === "completed" && after.issued[last.oldHash ?? ""]?.retire?.dueAt;
  const more: Partial<NoticeRecord> = {
    phase: outcome,
    ...(message ? { message } : {}),
    ...(newHash ? { newHash } : {}),
    ...(deleteAt ? { deleteAt } : {}),
    ...(outcome !== "completed" && retry ? { retryAt: retry.at } : {}),
  };
  return [{ event: outcome as NoticeRecord["event"], field: rotation.field, instant: at, rotation, more }];
}

/** What the open rotation has come to: a phase, or a hold that was not there for that reason. */
function reached(before: RotationRecord | undefined, after: RotationRecord | undefined): Happening[] {
  if (after === undefined) return [];
  const was = before?.id === after.id ? before : undefined;
  const found: Happening[] = [];
  const add = (event: Happening["event"], instant: number, more: Partial<NoticeRecord> = {}) =>
    found.push({ event, field: after.field, instant, rotation: after, more });
  if (was === undefined) add("planned", after.startedAt);
  // From a later phase it goes back to waiting for consumers: the key was promoted long since.
  if (after.phase === "promoted" && was?.phase === "verified") add("promoted", after.phaseAt);
  if (after.phase === "confirmed" && was?.phase !== "confirmed") add("confirmed", after.phaseAt);
  const { hold } = after;
  if (hold && hold.reason !== was?.hold?.reason) {
    const hint = holdHint(after);
    add("held", hold.since, { reason: hold.reason, message: hold.message, ...(hint ? { hint } : {}) });
  }
  return found;
}

function overdue(before: TargetDocument, after: TargetDocument): Happening[] {
  return Object.entries(after.keys).flatMap(([field, { name, overdue: dueAt }]) => {
    if (dueAt === undefined || dueAt === before.keys[field]?.overdue) return [];
    const hint = `\`rotate plan ${name}\` says what stands in its way`;
    return [{ event: "overdue" as const, field, instant: dueAt, more: { dueAt, hint } }];
  });
}

function idOf({ journal, target }: Place, of: string, event: string, instant: number): string {
  const named = JSON.stringify([journal, target, of, event, instant]);
  return `msg_${createHash("sha256").update(named).digest("hex").slice(0, 32)}`;
}
