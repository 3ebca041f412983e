import type { IssuedKey } from "../providers/provider.ts";

type ByName = ReadonlyMap<string | undefined, readonly IssuedKey[]>;

const ordered = new WeakMap<readonly IssuedKey[], ByName>();

/** The keys of a list that bear a name. Of thousands in it, many targets ask for a few each: it is put in order once. */
export function keysNamed(list: readonly IssuedKey[], name: string): readonly IssuedKey[] {
  const byName: ByName = ordered.get(list) ?? Map.groupBy(list, (key) => key.name);
  ordered.set(list, byName);
  return byName.get(name) ?? [];
}
