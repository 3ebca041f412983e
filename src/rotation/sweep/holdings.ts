import type { TargetDocument } from "../../journal/document.ts";
import { RotationError } from "../../lib/errors.ts";
import { type Owner, sameOwner } from "../../lib/owner.ts";
import type { SecretView } from "../../stores/store.ts";
import type { Parts } from "../parts.ts";
import type { KeyPlace } from "../targets.ts";

/** Which keys one secret holds, as its store shows it now. */
export interface Holdings {
  /** Hashes of what is current, with the name of the key whose field it is. */
  current: { hash: string; key: string }[];
  /** Hashes of what stands in a stage. */
  staged: ReadonlySet<string>;
  /** Keys of the policy whose current value neither the store nor the journal can name. */
  unnamed: string[];
  /** Another owner's stamp. */
  rival?: Owner;
}

/**
 * Reads the fields of a target's secret at these places. Throws what the store throws, and
 * `unusable` when there is no place to look at: not read is never absent.
 */
export async function holdingsOf(
  parts: Parts,
  owner: Owner,
  target: string,
  places: readonly KeyPlace[],
  document: TargetDocument,
): Promise<Holdings> {
  if (places.length === 0)
    throw new RotationError("unusable", `neither policy nor journal says how ${target} is read`);
  const found: Holdings & { staged: Set<string> } = { current: [], staged: new Set(), unnamed: [] };
  for (const { key, snapshot } of places) {
    const view = await parts.connect.store(snapshot).observe(snapshot.key.store);
    for (const { hash } of view.staged) found.staged.add(hash);
    if (view.owner && !sameOwner(view.owner, owner)) found.rival = view.owner;
    const { hashes, named } = currentHashes(view, document);
    found.current.push(...hashes.map((hash) => ({ hash, key })));
    if (!named) found.unnamed.push(key);
  }
  return found;
}

/**
 * Hashes that the current value goes by. A provider may take a key's SHA-256 for its hash, so that
 * one is always among them; it alone does not name the key, since a hash is the provider's to choose.
 */
function currentHashes(
  { current }: SecretView,
  { issued }: TargetDocument,
): { hashes: string[]; named: boolean } {
  if (current?.value === undefined) return { hashes: [], named: true };
  const fingerprint = current.value.fingerprint();
  const record = Object.values(issued).find((one) => one.fingerprint === fingerprint);
  const known = [current.hash, record?.hash].filter((hash) => hash !== undefined);
  return { hashes: [...known, fingerprint.slice("sha256:".length)], named: known.length > 0 };
}
