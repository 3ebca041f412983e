import type { IssuedRecord } from "../journal/document.ts";
import type { Secret } from "../lib/secret.ts";
import type { SecretRef, Store } from "../stores/store.ts";

/**
 * A key's plaintext, of the latest version that the store still keeps: where a person has written over the
 * last one, an earlier one holds the same. Undefined where none is kept. Throws what the store throws.
 */
export async function keptValue(
  store: Store,
  ref: SecretRef,
  record: IssuedRecord | undefined,
): Promise<Secret | undefined> {
  const latestFirst = [...(record?.olderVersions ?? []), record?.version].reverse();
  for (const version of latestFirst) {
    const value = version === undefined ? undefined : await store.read(ref, version);
    if (value !== undefined) return value;
  }
  return undefined;
}
