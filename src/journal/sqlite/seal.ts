import { createHash } from "node:crypto";
import { damagedEntry } from "../rules.ts";

/** How much of the SHA-256 stands before a sealed text, in hex digits. */
const DIGITS = 16;

/** JSON with a digest before it: SQLite does not notice a byte that has changed within a text. */
export function seal(value: unknown): string {
  const text = JSON.stringify(value);
  return `${digest(text)} ${text}`;
}

/**
 * The JSON text that was sealed. One without a digest was written before there were any. Throws
 * RotationError `unusable` when it is not what was sealed; `what` names it.
 */
export function unseal(sealed: string, what: string): string {
  if (sealed.startsWith("{")) return sealed;
  const text = sealed.slice(DIGITS + 1);
  if (sealed.slice(0, DIGITS) !== digest(text)) throw damagedEntry(what);
  return text;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, DIGITS);
}
