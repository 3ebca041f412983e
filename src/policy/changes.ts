import { isDeepStrictEqual } from "node:util";
import type { KeyPolicy, Policy } from "./schema.ts";

/** What one policy says otherwise than another, as names of keys. */
export interface PolicyChanges {
  added: string[];
  removed: string[];
  /** Whose own fields, provider or store differ. A key with a new name counts as added, its old name as removed. */
  changed: string[];
}

export function policyChanges(before: Policy, after: Policy): PolicyChanges {
  const earlier = new Map(before.keys.map((key) => [key.name, saidOf(before, key)]));
  const later = new Map(after.keys.map((key) => [key.name, saidOf(after, key)]));
  const names = [...later.keys()];
  return {
    added: names.filter((name) => !earlier.has(name)),
    removed: [...earlier.keys()].filter((name) => !later.has(name)),
    changed: names.filter(
      (name) => earlier.has(name) && !isDeepStrictEqual(earlier.get(name), later.get(name)),
    ),
  };
}

function saidOf({ providers, stores }: Policy, key: KeyPolicy): unknown {
  return [key, providers[key.provider], stores[key.store.use]];
}
