import type { EventRecord, TargetDocument } from "../journal/document.ts";
import type { RotationError } from "../lib/errors.ts";
import { holdHint } from "./hold-hint.ts";
import type { PassEnd } from "./pass.ts";
import type { KeyResult } from "./report.ts";
import type { KeyPlace } from "./targets.ts";

/** What stood open, and what had ended last, before a pass. */
export interface Before {
  rotation: string | undefined;
  last: string | undefined;
}

export function before(document: TargetDocument, field: string): Before {
  const open = document.rotation?.field === field ? document.rotation.id : undefined;
  return { rotation: open, last: document.keys[field]?.last?.rotation };
}

/** A key whose pass could not go on. */
export function brokenResult(key: string, { code, message, hint }: RotationError): KeyResult {
  return { key, outcome: "failed", message, code, ...hinted(hint) };
}

/** How one key came out of a pass, read from the journal as the pass left it. */
export function resultOf(
  place: KeyPlace,
  was: Before,
  document: TargetDocument,
  end: Exclude<PassEnd, { end: "broken" }>,
  refusal: EventRecord | undefined,
  /** Whether a request for it is still to be taken up. */
  asked: boolean,
): KeyResult {
  const { key, field } = place;
  const open = document.rotation?.field === field ? document.rotation : undefined;
  const record = document.keys[field];
  if (open) {
    const base = {
      key,
      rotation: open.id,
      ...(open.old ? { oldHash: open.old.hash } : {}),
      ...(open.new ? { newHash: open.new.hash } : {}),
    };
    if (open.hold) {
      const { message, reason } = open.hold;
      return { ...base, outcome: "held", message, code: reason, ...hinted(holdHint(open)) };
    }
    return { ...base, outcome: "waiting", ...waitingMessage(end, open.phase, key) };
  }
  if (refusal)
    return { key, outcome: refusal.reason === "refused" ? "failed" : "blocked", message: refusal.message };
  const last = record?.last;
  if (last && (last.rotation !== was.last || last.rotation === was.rotation)) {
    const old = last.oldHash === undefined ? undefined : document.issued[last.oldHash];
    const stillThere = last.outcome === "completed" && old?.retire !== undefined;
    return {
      key,
      outcome:
        last.outcome === "completed" && last.oldHash !== undefined && old === undefined
          ? "deleted"
          : last.outcome,
      message: last.message ?? (last.kind === "provision" ? "provisioned a first key" : "rotated"),
      rotation: last.rotation,
      kind: last.kind,
      tookMs: last.at - last.startedAt,
      ...(last.oldHash === undefined ? {} : { oldHash: last.oldHash }),
      ...(last.newHash === undefined ? {} : { newHash: last.newHash }),
      ...(stillThere ? { deleteAt: old.retire?.dueAt } : {}),
    };
  }
  if (record?.blocked) {
    const { message, reason } = record.blocked;
    return { key, outcome: "blocked", message, code: reason };
  }
  if (end.end === "busy")
    return {
      key,
      outcome: "waiting",
      message: "another worker holds this key's lease",
      code: "busy",
      handedOver: true,
    };
  if (end.end === "waiting") {
    const { message = end.says, hint } = end.error ?? {};
    return { key, outcome: "waiting", message, ...coded(end.error), ...hinted(hint) };
  }
  if (asked && end.end === "parked") return { key, outcome: "waiting", message: end.says };
  return { key, outcome: "idle", message: end.end === "parked" ? end.says : "nothing to do" };
}

function waitingMessage(
  end: PassEnd,
  phase: string,
  key: string,
): { message: string; hint?: string; code?: string } {
  if (end.end === "busy")
    return {
      message: `${phase}; another worker carries it on`,
      code: "busy",
      hint: `follow it with: rotate status ${key} --watch`,
    };
  if (end.end === "stopped") return { message: `${phase}; stopped after the step in hand` };
  if (end.end === "waiting")
    return { message: `${phase}; ${end.says}`, ...coded(end.error), ...hinted(end.error?.hint) };
  return { message: phase };
}

function hinted(hint: string | undefined): { hint?: string } {
  return hint === undefined ? {} : { hint };
}

function coded(error: RotationError | undefined): { code?: string } {
  return error === undefined ? {} : { code: error.code };
}
