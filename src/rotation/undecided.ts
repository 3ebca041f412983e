import type { UndecidedKey } from "../journal/document.ts";
import { shortHash } from "./names.ts";

/** What a take-over could not decide, with where to look further; one sentence. */
export function describeUndecided(keys: readonly UndecidedKey[]): string {
  const which = keys.map(describe).join("; ");
  return `left by another journal, in no record here, and not touched: ${which}. Look further with: rotate sweep`;
}

function describe({ hash, name, createdAt, disabled, kept }: UndecidedKey): string {
  const facts = [
    hash === undefined ? "unknown to the provider by its fingerprint" : disabled ? "disabled" : "enabled",
    ...(createdAt === undefined ? [] : [`created ${new Date(createdAt).toISOString()}`]),
    ...(kept === undefined ? [] : ["its value is still in the store, but cannot be rolled back to"]),
  ];
  const which = hash === undefined ? `a value ${kept?.fingerprint.slice(0, 19)}…` : `key ${shortHash(hash)}`;
  return `${which}${name === undefined ? "" : ` "${name}"`} (${facts.join(", ")})`;
}
