import { z } from "zod";
import { RotationError } from "../lib/errors.ts";
import { type Content, isObject, parseJson } from "./content.ts";

/** The format that this version of keyturn writes. */
const FORMAT = 1;

const versionSchema = z.strictObject({
  id: z.string().min(1),
  /** Epoch milliseconds. */
  createdAt: z.number(),
  /** What was current when it was written. */
  base: z.string(),
  /** Provider hashes by field, as far as they are known; "" for a plain value. */
  hashes: z.record(z.string(), z.string()),
  content: z.custom<Content>((value) => typeof value === "string" || isObject(value)),
  /** Who staged it, and the hash of the key it was staged for; absent on what a person wrote. */
  staged: z.strictObject({ rotation: z.string(), hash: z.string() }).optional(),
});

const recordSchema = z.strictObject({
  format: z.literal(FORMAT),
  secret: z.string(),
  owner: z.strictObject({ installation: z.string(), journal: z.string() }).optional(),
  /** How often a secret without a current version was fenced. */
  fences: z.int().min(0),
  current: versionSchema.optional(),
  staged: z.array(versionSchema),
  /** Versions that were current and have not been dropped, oldest first. */
  retained: z.array(versionSchema),
});

export type VersionRecord = Readonly<z.output<typeof versionSchema>>;
/** All that is known of one secret. Never changed in place. */
export type SecretRecord = Readonly<z.output<typeof recordSchema>>;

export function emptyRecord(secret: string): SecretRecord {
  return { format: FORMAT, secret, fences: 0, staged: [], retained: [] };
}

export function renderRecord(record: SecretRecord): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

/**
 * Reads a record. Throws RotationError `newer-version`, or `unusable` when it is damaged: a
 * damaged record is never taken for none.
 */
export function parseRecord(text: string, where: string): SecretRecord {
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch {
    throw damaged(where, text.trim() === "" ? "it is empty" : "it is not JSON");
  }
  if (isObject(parsed) && typeof parsed.format === "number" && parsed.format > FORMAT) {
    throw new RotationError("newer-version", `${where} was written by a newer version of keyturn`, {
      hint: "run that version, or a later one",
    });
  }
  const result = recordSchema.safeParse(parsed);
  if (result.success) return result.data;
  const at = result.error.issues[0]?.path.join(".");
  throw damaged(where, at ? `${at} is not what it should be` : "it has the wrong shape");
}

function damaged(where: string, why: string): RotationError {
  return new RotationError("unusable", `${where} is damaged: ${why}`, {
    hint: "restore it from a backup; or move it away, then the file that consumers read counts as the current version, of unknown origin",
  });
}

/** Every version that is kept. */
export function versionsOf(record: SecretRecord): VersionRecord[] {
  return [...(record.current ? [record.current] : []), ...record.staged, ...record.retained];
}

/** Names what is current, for compare-and-swap. */
export function baseOf(record: SecretRecord | undefined): string {
  if (record?.current) return record.current.id;
  return record && record.fences > 0 ? `absent-${record.fences}` : "absent";
}
