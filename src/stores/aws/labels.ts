import { createHash } from "node:crypto";
import type { SecretRef } from "../store.ts";

/**
 * The staging labels by which a version of a secret tells what it is. AWS holds 20 on a secret.
 *
 *     KEYTURN-<rotation>-<hash>      staged by that rotation, and not promoted by it yet
 *     KEYTURN-holds:<field>:<base>:<rotation>:<hash>
 *                                    the key that stands in a field, what it was staged upon and by
 *                                    whom; keeps the version until it is dropped
 *     KEYTURN-previous-<version>     keeps a version that others wrote and we replaced
 */
const OURS = "KEYTURN-";
const HOLDS = "KEYTURN-holds:";
const PREVIOUS = "KEYTURN-previous-";

export const CURRENT = "AWSCURRENT";
export const PENDING = "AWSPENDING";
export const REPLACED = "AWSPREVIOUS";

/** The longest label that AWS takes. */
const LONGEST = 256;

/** The key for which a version was staged. */
export interface Holds {
  /** Digest of the field's name. */
  field: string;
  base: string;
  rotation: string;
  hash: string;
}

/** What the labels of one version say. */
export interface Marks {
  holds: Holds | undefined;
  /** Whether the label of the rotation that staged it stands. */
  staged: boolean;
  /** Whether it is to stay readable. */
  kept: boolean;
}

/** The label that nobody but this rotation uses, so that nobody can take it (R1). */
export function stagingLabel(rotation: string, hash: string): string {
  return `${OURS}${rotation}-${hash}`.slice(0, LONGEST);
}

export function holdsLabel(ref: SecretRef, base: string, rotation: string, hash: string): string {
  return `${HOLDS}${[fieldDigest(ref), base, rotation, hash].join(":")}`.slice(0, LONGEST);
}

export function previousLabel(version: string): string {
  return `${PREVIOUS}${version}`;
}

export function isOurs(label: string): boolean {
  return label.startsWith(OURS);
}

/** Whether it is a label that holdsLabel made. */
export function isHolding(label: string): boolean {
  return label.startsWith(HOLDS);
}

export function readMarks(labels: readonly string[] = []): Marks {
  const holds = readHolds(labels.find(isHolding));
  return {
    holds,
    staged: holds !== undefined && labels.includes(stagingLabel(holds.rotation, holds.hash)),
    kept: labels.some(isOurs),
  };
}

function readHolds(label: string | undefined): Holds | undefined {
  if (label === undefined) return undefined;
  const [field = "", base = "", rotation = "", ...hash] = label.slice(HOLDS.length).split(":");
  return { field, base, rotation, hash: hash.join(":") };
}

/** The hash that the labels give for the value at `ref`. */
export function hashAt(ref: SecretRef, marks: Marks): string | undefined {
  return marks.holds?.field === fieldDigest(ref) ? marks.holds.hash : undefined;
}

/** A field's name may be longer than a label, and hold anything. */
function fieldDigest(ref: SecretRef): string {
  return createHash("sha256")
    .update(ref.field ?? "")
    .digest("hex")
    .slice(0, 12);
}
