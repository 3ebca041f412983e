import { redactQuoted } from "../lib/redact.ts";
import type { Secret } from "../lib/secret.ts";

const LONGEST = 200;
/** So much is looked at: what is shown comes from its beginning. */
const LOOKED_AT = 10_000;
/** No answer of an API is nested deeper; one that is would exhaust the stack of whoever walks it. */
const DEEPEST = 20;
const SECRET_FIELD = /^(?:api[-_]?)?key$|token$|secret$|password$/i;

/** What the other side said, fit for an error message: redacted, on one line, at most 200 characters. */
export function quote(text: string, known: readonly Secret[] = []): string {
  // Redacted before it is cut: half a key at the cut would not be recognised.
  const line = redactQuoted(text.slice(0, LOOKED_AT), known)
    .replace(/[\s\p{C}]+/gu, " ")
    .trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** A copy of parsed JSON whose strings and names are redacted and whose plaintext fields are gone. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactQuoted(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth >= DEEPEST) return "[nested too deep]";
  if (Array.isArray(value)) return value.map((inner) => withoutSecrets(inner, depth + 1));
  const kept = Object.entries(value).filter(([name]) => !SECRET_FIELD.test(name));
  return Object.fromEntries(
    kept.map(([name, inner]) => [redactQuoted(name), withoutSecrets(inner, depth + 1)]),
  );
}
