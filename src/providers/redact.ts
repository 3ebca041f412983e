import type { Secret } from "../lib/secret.ts";

/** Whole keys of the routers and of what lies behind them; a masked label (sk-or-v1-abc...123, lr_live_abc...123) is none. */
const KEY_LIKE = /Bearer\s+[^\s"',;]+|\bsk-[\w-]{10,}|\blr_(?![\w-]{1,10}\.\.\.)[\w-]{6,}/gi;
const LONGEST = 200;

/** `text` with everything that looks like a key, and each of `known`, replaced by `[secret]`. */
export function redact(text: string, known: readonly Secret[] = []): string {
  const without = known.reduce((rest, secret) => rest.replaceAll(secret.reveal(), "[secret]"), text);
  return without.replace(KEY_LIKE, "[secret]");
}

/** What the other side said, fit for an error message: redacted, on one line, at most 200 characters. */
export function quote(text: string, known: readonly Secret[] = []): string {
  // Redacted before it is cut: half a key at the cut would not be recognised.
  const line = redact(text, known)
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** A copy of `value` whose strings are redacted and whose plaintext fields are gone. */
export function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const kept = Object.entries(value).filter(
    ([name]) => !["key", "api_key", "token", "secret"].includes(name),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutSecrets(inner)]));
}
