import { createHash } from "node:crypto";
import { RotationError } from "../lib/errors.ts";
import { type Archive, type ArchivedTarget, contentLines } from "./archive.ts";
import type { EventRecord, NoticeRecord, RequestRecord } from "./document.ts";
import { hashTaken, parseDocument } from "./rules.ts";

/**
 * An exported journal as a file: JSON lines. The first says what it is, the last is a digest of all
 * bytes before it, so that a file that was cut off or changed is recognised.
 */
export interface ArchiveFile {
  archive: Archive;
  /** `copy`: the journal that it was taken from is still in use. */
  purpose: "move" | "copy";
  /** Epoch milliseconds. */
  exportedAt: number;
}

const KIND = "journal of keyturn";
const VERSION = 1;

export function archiveText({ archive, purpose, exportedAt }: ArchiveFile): string {
  const { id, targets, requests, notices, events } = archive;
  const head = {
    kind: KIND,
    version: VERSION,
    id,
    purpose,
    exportedAt: new Date(exportedAt).toISOString(),
    targets: targets.length,
    requests: requests.length,
    notices: notices.length,
    events: events.length,
  };
  const text = [JSON.stringify(head), ...contentLines(archive), ""].join("\n");
  return `${text}${JSON.stringify({ digest: digestOf(text) })}\n`;
}

/**
 * Reads a whole file and checks all of it: nothing of it is used unless all of it can be. `name` is
 * for messages. Throws RotationError `unusable`, `newer-version`.
 */
export function parseArchive(text: string, name: string): ArchiveFile {
  const lines = text.split("\n");
  const head = objectOf(lines[0]);
  if (head?.kind !== KIND) throw unusable(name, "is not an exported journal");
  if (typeof head.version === "number" && head.version > VERSION) {
    throw new RotationError(
      "newer-version",
      `${name} has version ${head.version}; this keyturn knows ${VERSION}`,
      { hint: "run the newer keyturn that wrote it" },
    );
  }
  const content = lines.slice(1, -2);
  const before = [...lines.slice(0, -2), ""].join("\n");
  const digest = objectOf(lines.at(-2))?.digest;
  if (typeof digest !== "string" || lines.at(-1) !== "") throw unusable(name, "is cut off");
  if (digest !== digestOf(before)) throw unusable(name, "was changed since it was exported");
  const archive = archiveOf(String(head.id), content, name);
  const { targets, requests, notices = 0, events } = head;
  const counted = { targets, requests, notices, events };
  const whole = Object.entries(counted).every(
    ([part, count]) => archive[part as keyof typeof counted].length === count,
  );
  const exportedAt = Date.parse(String(head.exportedAt));
  if (!whole || !/^[0-9a-f]{32}$/.test(archive.id) || Number.isNaN(exportedAt))
    throw unusable(name, "is damaged");
  return { archive, purpose: head.purpose === "copy" ? "copy" : "move", exportedAt };
}

function archiveOf(id: string, lines: readonly string[], name: string): Archive {
  const targets: ArchivedTarget[] = [];
  const requests: RequestRecord[] = [];
  const notices: NoticeRecord[] = [];
  const events: EventRecord[] = [];
  for (const [index, line] of lines.entries()) {
    const entry = objectOf(line);
    if (entry && isTarget(entry)) {
      const { target, epoch } = entry;
      targets.push({ target, epoch, document: parseDocument(target, JSON.stringify(entry.document)) });
    } else if (isRequest(entry?.request)) requests.push(entry.request);
    else if (isNotice(entry?.notice)) notices.push(entry.notice);
    else if (isEvent(entry?.event)) events.push(entry.event);
    else throw unusable(name, `is damaged in line ${index + 2}`);
  }
  requireDistinct(
    name,
    "target",
    targets.map(({ target }) => target),
  );
  requireDistinct(
    name,
    "request",
    requests.map((request) => request.id),
  );
  requireDistinct(
    name,
    "notice",
    notices.map(({ id }) => id),
  );
  requireDistinct(
    name,
    "event",
    events.map(({ seq }) => seq),
  );
  requireOneOwner(targets);
  return { id, targets, requests, notices, events };
}

function requireDistinct(name: string, what: string, values: readonly unknown[]): void {
  const twice = values.find(
    (value, index) => values.length !== new Set(values).size && values.indexOf(value) !== index,
  );
  if (twice !== undefined) throw unusable(name, `holds the ${what} ${twice} twice`);
}

function requireOneOwner(targets: readonly ArchivedTarget[]): void {
  const owners = new Map<string, string>();
  for (const { target, document } of targets) {
    for (const hash of Object.keys(document.issued)) {
      const owner = owners.get(hash);
      if (owner !== undefined) throw hashTaken(hash, target, owner);
      owners.set(hash, target);
    }
  }
}

type Fields = Record<string, unknown>;

function objectOf(line: string | undefined): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line ?? "");
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTarget(entry: Fields): entry is Fields & { target: string; epoch: number } {
  return typeof entry.target === "string" && isCount(entry.epoch) && isObject(entry.document);
}

const REQUEST_KINDS = ["rotate", "approve", "rollback", "revoke", "take-over"];

function isRequest(value: unknown): value is RequestRecord {
  return (
    isObject(value) &&
    ["id", "target", "field", "actor"].every((field) => typeof value[field] === "string") &&
    REQUEST_KINDS.includes(String(value.kind)) &&
    Number.isFinite(value.at)
  );
}

function isNotice(value: unknown): value is NoticeRecord {
  return (
    isObject(value) &&
    ["id", "target", "field", "event", "key", "message"].every((field) => typeof value[field] === "string") &&
    Number.isFinite(value.at)
  );
}

function isEvent(value: unknown): value is EventRecord {
  return (
    isObject(value) &&
    ["target", "key", "actor", "kind", "reason", "message"].every(
      (field) => typeof value[field] === "string",
    ) &&
    isCount(value.seq) &&
    isCount(value.epoch) &&
    Number.isFinite(value.at)
  );
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function unusable(name: string, why: string): RotationError {
  return new RotationError("unusable", `${name} ${why}`, {
    hint: "nothing was imported; export the journal again, or take another copy of the file",
  });
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
