import { asRotationError } from "../lib/errors.ts";
import { redact } from "../lib/redact.ts";

const LONGEST_DETAIL = 200;

/** One printable line of at most 200 characters, without what looks like a key: what goes to people and into the log. */
export function detail(text: string): string {
  const line = redact(text)
    .replace(/[\p{C}\s]+/gu, " ")
    .trim();
  return line.length > LONGEST_DETAIL ? `${line.slice(0, LONGEST_DETAIL - 1)}…` : line;
}

/** What a look that failed says, with what to do. Of a right that is missing the hint alone names all: the message may be too long for both. */
export function problemOf(thrown: unknown): string {
  const { code, message, hint } = asRotationError(thrown);
  if (hint === undefined) return detail(message);
  return detail(code === "forbidden" ? `forbidden: ${hint}` : `${message} (${hint})`);
}

/** A fingerprint as people are shown it: `sha256:` and twelve digits. */
export function shortFingerprint(reported: string): string {
  const hex = reported
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, "");
  return `sha256:${hex.slice(0, 12)}…`;
}
