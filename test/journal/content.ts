import {
  emptyDocument,
  type IssuedRecord,
  type NewEvent,
  type NoticeRecord,
  type RequestRecord,
  type TargetDocument,
} from "../../src/journal/document.ts";

const AT = Date.parse("2026-11-21T03:15:00Z");

/** A document that has issued keys of these hashes. */
export function documentWith(...hashes: string[]): TargetDocument {
  const issued = hashes.map((hash): [string, IssuedRecord] => [
    hash,
    { hash, field: "", provider: "openrouter", origin: "issued" },
  ]);
  return { ...emptyDocument(), issued: Object.fromEntries(issued) };
}

export function eventOf(kind: string, more: Partial<NewEvent> = {}): NewEvent {
  return {
    at: AT,
    key: "payments-api",
    actor: "schedule",
    kind,
    reason: "due",
    message: `it was ${kind}`,
    ...more,
  };
}

export function requestOf(id: string, target: string): RequestRecord {
  return { id, target, field: "", kind: "approve", actor: "ann@desk", at: AT };
}

export function noticeOf(id: string, target: string, more: Partial<NoticeRecord> = {}): NoticeRecord {
  return {
    id,
    target,
    field: "",
    event: "held",
    at: AT,
    installation: "default",
    key: "payments-api",
    provider: "openrouter",
    actor: "schedule",
    reason: "consumers-unconfirmed",
    message: "billing has not confirmed",
    ...more,
  };
}
