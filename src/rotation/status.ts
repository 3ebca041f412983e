import type { IssuedRecord, RotationRecord, TargetDocument } from "../journal/document.ts";
import type { RotationError } from "../lib/errors.ts";
import { describeMissing } from "./evidence.ts";
import { holdHint } from "./hold-hint.ts";
import type { KeyState, KeyStatus, RotationStatus } from "./report.ts";
import type { KeyPlace } from "./targets.ts";
import { OVERDUE_AFTER_MS, waitEnd } from "./timing.ts";

/** What the journal knows of one key of the policy. Looks at nothing else. */
export function statusOf(place: KeyPlace, document: TargetDocument, now: number): KeyStatus {
  const record = document.keys[place.field];
  const current = record?.current;
  const issued = current && document.issued[current.hash];
  const open = document.rotation?.field === place.field ? document.rotation : undefined;
  const state = stateOf(place, document, now);
  const message =
    open?.hold?.message ??
    record?.blocked?.message ??
    (state === "failed" ? record?.last?.message : undefined);
  return {
    key: place.key,
    target: place.target,
    ...(place.field === "" ? {} : { field: place.field }),
    provider: place.snapshot.key.provider,
    state,
    ...(message === undefined ? {} : { message }),
    ...reasonOf(state, open, record),
    ...(current === undefined ? {} : { current: currentOf(current, issued) }),
    ...(open === undefined ? {} : { rotation: rotationStatus(open, now) }),
    ...(record?.last === undefined ? {} : { last: record.last }),
    ...nextOf(record),
    ...(record?.leftBehind?.keys.length ? { undecided: record.leftBehind.keys } : {}),
    drift: record?.drift?.hash === current?.hash ? (record?.drift?.differs ?? []) : [],
    retiring: Object.values(document.issued)
      .filter((key) => key.field === place.field && key.retire !== undefined)
      .map((key) => ({
        hash: key.hash,
        ...(key.label === undefined ? {} : { label: key.label }),
        disabled: key.disable?.acknowledged !== undefined,
        deleteAt: key.retire?.dueAt ?? now,
        why: key.retire?.why ?? "",
      })),
  };
}

/** A key whose part of the journal cannot be read. */
export function damagedStatus(place: KeyPlace, { message, hint }: RotationError): KeyStatus {
  return {
    key: place.key,
    target: place.target,
    ...(place.field === "" ? {} : { field: place.field }),
    provider: place.snapshot.key.provider,
    state: "failed",
    message: hint ? `${message}; ${hint}` : message,
    drift: [],
    retiring: [],
  };
}

function stateOf({ field, snapshot }: KeyPlace, document: TargetDocument, now: number): KeyState {
  const record = document.keys[field];
  const open = document.rotation?.field === field ? document.rotation : undefined;
  if (open?.hold) return "held";
  if (open) return "rotating";
  if (snapshot.key.suspend) return "suspended";
  if (record?.blocked) return "blocked";
  if (record?.current === undefined) return record?.retry ? "failed" : "new";
  const dueAt = record.due?.at;
  if (dueAt !== undefined && now > dueAt + OVERDUE_AFTER_MS) return "overdue";
  return record.retry ? "failed" : "ok";
}

function reasonOf(
  state: KeyState,
  open: RotationRecord | undefined,
  record: TargetDocument["keys"][string] | undefined,
): Pick<KeyStatus, "reason"> {
  const why = state === "held" ? open?.hold : state === "blocked" ? record?.blocked : undefined;
  return why === undefined ? {} : { reason: why.reason };
}

function currentOf(
  current: { hash: string; fingerprint: string; since: number },
  issued: IssuedRecord | undefined,
): NonNullable<KeyStatus["current"]> {
  return {
    hash: current.hash,
    fingerprint: current.fingerprint,
    since: current.since,
    ...(issued?.label === undefined ? {} : { label: issued.label }),
    ...(issued?.createdAt === undefined ? {} : { createdAt: issued.createdAt }),
    ...(issued?.expiresAt === undefined ? {} : { expiresAt: issued.expiresAt }),
  };
}

function nextOf(record: TargetDocument["keys"][string] | undefined): Pick<KeyStatus, "next"> {
  if (record?.retry) return { next: { at: record.retry.at, why: "retry" } };
  return record?.due ? { next: { at: record.due.at, why: record.due.why } } : {};
}

/** The open rotation, as people and programs see it. */
export function rotationStatus(rotation: RotationRecord, now: number): RotationStatus {
  const { hold, failures } = rotation;
  return {
    id: rotation.id,
    kind: rotation.kind,
    phase: rotation.phase,
    direction: rotation.phase === "reverting" ? "back" : "forward",
    startedAt: rotation.startedAt,
    phaseAt: rotation.phaseAt,
    actor: rotation.actor,
    reason: rotation.reason,
    ...(hold === undefined ? {} : { held: heldStatus(hold, holdHint(rotation)) }),
    ...(rotation.old === undefined ? {} : { oldHash: rotation.old.hash }),
    ...(rotation.new === undefined ? {} : { newHash: rotation.new.hash, newLabel: rotation.new.label }),
    ...waitingFor(rotation, now),
    ...(failures === undefined
      ? {}
      : {
          error: {
            code: failures.code,
            message: failures.message,
            ...(failures.hint ? { hint: failures.hint } : {}),
          },
        }),
  };
}

function heldStatus(
  { reason, message, since }: NonNullable<RotationRecord["hold"]>,
  hint: string | undefined,
): RotationStatus["held"] {
  return { reason, message, since, hint };
}

function waitingFor(
  rotation: RotationRecord,
  now: number,
): Pick<RotationStatus, "waitingFor" | "waitingUntil"> {
  const { confirm, retire } = rotation.policy.key;
  switch (rotation.phase) {
    case "promoted":
    case "reverting": {
      const { consumers } = rotation.policy.key;
      const names = consumers === "none" ? [] : consumers.map((consumer) => consumer.name);
      return {
        waitingFor: `consumers to confirm: ${describeMissing(names, undefined).replaceAll(": not asked yet", "").replaceAll(";", ",")}`,
        waitingUntil: waitEnd(rotation.confirmingSince ?? rotation.phaseAt, confirm.timeout, now),
      };
    }
    case "confirmed":
      return {
        waitingFor: "the overlap of both keys",
        waitingUntil: waitEnd(rotation.phaseAt, retire.after, now),
      };
    case "disabled":
      return {
        waitingFor: "the watch after disabling the old key",
        waitingUntil: waitEnd(rotation.phaseAt, retire.watch, now),
      };
    default:
      return {};
  }
}
