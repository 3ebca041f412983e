import { isDeepStrictEqual } from "node:util";
import type { PolicySnapshot } from "../journal/document.ts";
import { RotationError } from "../lib/errors.ts";
import type { Policy } from "../policy/schema.ts";
import { fieldOf, targetName } from "./names.ts";

/** Where one key of the policy lives. */
export interface KeyPlace {
  key: string;
  target: string;
  field: string;
  snapshot: PolicySnapshot;
}

/** Every key of the policy with its target. Several fields of one secret share a target (R10). */
export function placesOf(policy: Policy): KeyPlace[] {
  return policy.keys.map((key) => {
    const provider = policy.providers[key.provider];
    const store = policy.stores[key.store.use];
    if (provider === undefined || store === undefined)
      throw new RotationError(
        "policy-invalid",
        `${key.name} names a provider or a store that the policy does not have`,
      );
    return {
      key: key.name,
      target: targetName(key.store.use, key.store.secret),
      field: fieldOf(key.store),
      snapshot: { installation: policy.installation, key, provider, store },
    };
  });
}

/** The keys of each target, by field. */
function byTarget(places: readonly KeyPlace[]): Map<string, Record<string, PolicySnapshot>> {
  const targets = new Map<string, Record<string, PolicySnapshot>>();
  for (const { target, field, snapshot } of places)
    targets.set(target, { ...targets.get(target), [field]: snapshot });
  return targets;
}

/** The places of each target. */
export function placesByTarget(places: readonly KeyPlace[]): Map<string, KeyPlace[]> {
  const found = new Map<string, KeyPlace[]>();
  for (const place of places) {
    const same = found.get(place.target);
    if (same) same.push(place);
    else found.set(place.target, [place]);
  }
  return found;
}

/** A policy as the engine works with it. */
export interface Ground {
  policy: Policy;
  places: readonly KeyPlace[];
  /** The same by the names of the keys. */
  named: ReadonlyMap<string, KeyPlace>;
  /** The policy's keys of each target, by field. */
  targets: ReadonlyMap<string, Record<string, PolicySnapshot>>;
}

/** With `before`, a target of which the policy says the same keeps the very object that it had there. */
export function groundOf(policy: Policy, before?: Ground): Ground {
  const places = placesOf(policy);
  const targets = byTarget(places);
  for (const [target, policies] of targets) {
    const known = before?.targets.get(target);
    if (known !== undefined && isDeepStrictEqual(known, policies)) targets.set(target, known);
  }
  return { policy, places, named: new Map(places.map((place) => [place.key, place])), targets };
}
