import { gunzipSync, gzipSync } from "node:zlib";
import { RotationError } from "../../lib/errors.ts";
import { emptyDocument, type NoticeRecord, type RequestRecord, type TargetDocument } from "../document.ts";
import { movedAway } from "../place.ts";
import { parseDocument } from "../rules.ts";
import { seal, unseal } from "../seal.ts";
import { compact } from "./event-lines.ts";
import { objectName, TARGET_ANNOTATION } from "./names.ts";
import type { ConfigMap, Objects } from "./objects.ts";
import { edited } from "./root.ts";

/** What a target's ConfigMap holds beside its document and its events. */
export interface EntryState {
  /** Id of the journal. */
  journal: string;
  target: string;
  /** Who may write the document: the lease's holder and epoch when it was last taken. */
  holder: string;
  epoch: number;
  /** Whether the root lists the target. Until then this object may be missing without anything being lost. */
  indexed: boolean;
  /** The next number for an event, and the end of the numbers that are reserved for this target. */
  seq: { next: number; end: number };
  /** Requests not yet answered, oldest first. */
  requests: RequestRecord[];
  /** Notices that are kept, oldest first; left out while there is none. */
  notices?: readonly NoticeRecord[];
  /** Ids of the newest writes, by which one whose answer was lost is found done. */
  writes: string[];
  /** Grows when another target's holder makes sure that no write in flight can land here. */
  fenced: number;
  moved?: true;
}

export interface Entry {
  state: EntryState;
  /** The document as it is kept; undefined before the first one. */
  document: string | undefined;
  /** The event log: one event a line, oldest first. Only who shows events reads it. */
  events: string;
  /** False while there is no entry in the ConfigMap, or no ConfigMap. */
  begun: boolean;
  object: ConfigMap | undefined;
}

const FORMAT = 1;
/** A ConfigMap holds 1 MiB, and what else a person puts there. */
const LARGEST_BYTES = 960 * 1024;
/** A longer document is kept compressed, to about a sixth. */
const LONGEST_PLAIN = 128 * 1024;
const COMPRESSED = "gzip ";

export function newEntry(journal: string, target: string, object: ConfigMap | undefined): Entry {
  const state: EntryState = {
    journal,
    target,
    holder: "",
    epoch: 0,
    indexed: false,
    seq: { next: 0, end: 0 },
    requests: [],
    writes: [],
    fenced: 0,
  };
  return { state, document: undefined, events: "", begun: false, object };
}

/**
 * A target's ConfigMap as it stands, of the journal with this id, or of any; no entry where there is
 * none, or an empty one. Throws RotationError
 * `unusable` for one that was edited or belongs to another journal, `newer-version`.
 */
export async function readEntry(
  objects: Objects,
  journal: string | undefined,
  target: string,
): Promise<{ entry: Entry | undefined; object: ConfigMap | undefined }> {
  const name = objectName(objects.config.name, target);
  const object = await objects.configMap(name);
  const { state: sealed, document, events = "", format } = object?.data ?? {};
  const what = `the journal's entry for ${target}, ${objects.said("ConfigMap", name)},`;
  if (sealed === undefined) {
    if (Object.keys({ ...object?.data, ...object?.binaryData }).length === 0)
      return { entry: undefined, object };
    throw edited(what, "restore the ConfigMap from a copy");
  }
  if (Number(format) > FORMAT) {
    throw new RotationError("newer-version", `${what} has format ${format}; this keyturn knows ${FORMAT}`, {
      hint: "run the newer keyturn that wrote it",
    });
  }
  const text = unseal(sealed);
  const state = text === undefined ? undefined : (JSON.parse(text) as EntryState);
  if (state?.target !== target) throw edited(what, "restore the ConfigMap from a copy");
  if (journal !== undefined && state.journal !== journal) {
    throw new RotationError("unusable", `${what} belongs to another journal (${state.journal})`, {
      hint: "restore the journal's other ConfigMaps from the same copy; without one, delete this one too and start anew with --take-over",
    });
  }
  return { entry: { state, document, events, begun: true, object }, object };
}

/** Throws RotationError `unusable` once the journal was moved away. */
export function refuseMoved(objects: Objects, { moved }: EntryState): void {
  if (moved) throw movedAway(objects.journalName());
}

/** Writes an entry over what was read, with as many of its events as there is room for. Throws Overtaken, or `full`. */
export async function writeEntry(objects: Objects, entry: Entry): Promise<ConfigMap> {
  const { data, events } = contentOf(objects, entry);
  const { state, object } = entry;
  const name = objectName(objects.config.name, state.target);
  return await objects.putConfigMap(name, object, {
    metadata: { name, annotations: { [TARGET_ANNOTATION]: state.target } },
    data: { ...object?.data, ...data, events },
  });
}

/** What of an entry its ConfigMap is to hold: all but the oldest events, and notices only where there is room. Throws RotationError `full` when there is no room for it. */
export function contentOf(
  objects: Objects,
  { state, document, events }: Pick<Entry, "state" | "document" | "events">,
): { data: Record<string, string>; events: string } {
  const data: Record<string, string> = { format: String(FORMAT), state: seal(state) };
  if (document !== undefined) data.document = document;
  const size = Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (size <= LARGEST_BYTES) return { data, events: compact(events, LARGEST_BYTES - size) };
  // Rather nobody is told than that a rotation stands still.
  const { notices, ...rest } = state;
  if (notices) return contentOf(objects, { state: rest, document, events });
  const where = objects.said("ConfigMap", objectName(objects.config.name, state.target));
  throw new RotationError(
    "full",
    `the journal's entry for ${state.target} has ${Math.round(size / 1024)} KiB, and ${where} holds 1 MiB`,
    { hint: "nothing was lost; keep the journal in SQLite: rotate journal export, rotate journal import" },
  );
}

/** A document as an entry keeps it. */
export function keptDocument(document: TargetDocument): string {
  const sealed = seal(document);
  if (sealed.length <= LONGEST_PLAIN) return sealed;
  return COMPRESSED + gzipSync(sealed).toString("base64");
}

/** An entry's document; an empty one before the first. Throws RotationError `unusable` when it was edited, `newer-version`. */
export function documentOf({
  state: { target },
  document,
}: Pick<Entry, "document"> & { state: Pick<EntryState, "target"> }): TargetDocument {
  if (document === undefined) return emptyDocument();
  const text = unseal(plain(document));
  if (text === undefined)
    throw edited(`the journal's entry for ${target}`, "restore its ConfigMap from a copy");
  return parseDocument(target, text);
}

function plain(kept: string): string {
  if (!kept.startsWith(COMPRESSED)) return kept;
  try {
    return gunzipSync(Buffer.from(kept.slice(COMPRESSED.length), "base64")).toString();
  } catch {
    return "";
  }
}
