import { type Random, randomId } from "../lib/random.ts";

/** The journal's name of a secret in a store: what leases and uniqueness go by (R10). */
export function targetName(store: string, secret: string): string {
  return `${store}/${secret}`;
}

/** The field by which a key is held in its target's document. */
export function fieldOf(store: { field?: string }): string {
  return store.field ?? "";
}

/**
 * The name that a new key will bear: exactly recognisable as one intent of one installation (R6),
 * and readable in the provider's dashboard.
 */
export function intendedName(installation: string, key: string, now: number, random: Random): string {
  return `keyturn/${installation}/${key}/${new Date(now).toISOString().slice(0, 10)}/${randomId(random, 6)}`;
}

/** The parts of a name of the form that {@link intendedName} gives; undefined for any other. */
export function parseIntendedName(name: string): { installation: string; key: string } | undefined {
  const match = /^keyturn\/([^/]+)\/([^/]+)\/\d{4}-\d\d-\d\d\/[0-9a-f]{12}$/.exec(name);
  const [, installation, key] = match ?? [];
  return installation === undefined || key === undefined ? undefined : { installation, key };
}

/** `3f2a9c…` for people. */
export function shortHash(hash: string): string {
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash;
}
