import type { PolicySnapshot, TargetDocument } from "../../journal/document.ts";
import type { TargetEntry } from "../../journal/journal.ts";
import type { Policy } from "../../policy/schema.ts";
import type { KeyPlace } from "../targets.ts";

/** One provider whose list is walked. */
export interface ProviderWalk {
  name: string;
  /** Some snapshot that names this provider, to connect by. */
  snapshot: PolicySnapshot;
  workspaces: string[];
}

/** Where a sweep looks, and whose keys it looks for. */
export interface SweepScope {
  /** Every place of a key, in the policy or only in the journal. */
  places: KeyPlace[];
  walks: ProviderWalk[];
  unsearched: string[];
  /** Whether keys are looked for that a rotation of this field of this target intended. */
  coversIntent(target: string, field: string): boolean;
  /** Whether keys are looked for whose name was made for a key of this name. */
  coversName(key: string): boolean;
}

/** `named`: the places of the keys that were named; undefined for everything, what has left the policy included. */
export function scopeOf(
  policy: Policy,
  ofPolicy: readonly KeyPlace[],
  entries: readonly TargetEntry[],
  named: readonly KeyPlace[] | undefined,
): SweepScope {
  const places = allPlaces(ofPolicy, entries);
  const coversIntent = (target: string, field: string) =>
    named === undefined || named.some((place) => place.target === target && place.field === field);
  const coversName = (key: string) => named === undefined || named.some((place) => isCalled(place, key));
  const intents = entries.flatMap(({ target, document }) =>
    Object.values(document.intents).map((intent) => ({ target, ...intent })),
  );
  const wanted = new Set([
    ...places
      .filter(({ target, field }) => coversIntent(target, field))
      .map(({ snapshot }) => snapshot.key.provider),
    ...intents.filter(({ target, field }) => coversIntent(target, field)).map(({ provider }) => provider),
  ]);
  const walks: ProviderWalk[] = [];
  const unsearched: string[] = [];
  for (const name of wanted) {
    const snapshot = reaching(name, policy, places);
    if (snapshot === undefined) unsearched.push(name);
    else walks.push({ name, snapshot, workspaces: workspacesAt(name, places, entries) });
  }
  return { places, walks, unsearched, coversIntent, coversName };
}

/** Whether a place's key has this name, or had it before a rename. */
export function isCalled({ snapshot: { key } }: KeyPlace, name: string): boolean {
  return key.name === name || key.formerly.includes(name);
}

/**
 * The places of the policy and those that only the journal has, each under what is in force there.
 * A secret that the policy has made whole, or into fields, since then is read only as it is now.
 */
function allPlaces(ofPolicy: readonly KeyPlace[], entries: readonly TargetEntry[]): KeyPlace[] {
  const found = new Map(ofPolicy.map((place) => [JSON.stringify([place.target, place.field]), place]));
  for (const { target, document } of entries) {
    const now = ofPolicy.find((place) => place.target === target);
    for (const field of fieldsOf(document)) {
      if (now && (now.field === "") !== (field === "")) continue;
      const id = JSON.stringify([target, field]);
      const open = document.rotation?.field === field ? document.rotation.policy : undefined;
      const snapshot = open ?? found.get(id)?.snapshot ?? document.keys[field]?.policy;
      if (snapshot) found.set(id, { key: snapshot.key.name, target, field, snapshot });
    }
  }
  return [...found.values()];
}

function fieldsOf({ keys, intents, rotation }: TargetDocument): Set<string> {
  const intended = Object.values(intents).map(({ field }) => field);
  return new Set([...Object.keys(keys), ...intended, ...(rotation ? [rotation.field] : [])]);
}

/** A snapshot to connect to a provider by: the policy's present entry of that name, else the journal's. */
function reaching(name: string, { providers }: Policy, places: readonly KeyPlace[]) {
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  const [some] = places;
  if (provider && some) return { ...some.snapshot, key: { ...some.snapshot.key, provider: name }, provider };
  return places.find(({ snapshot }) => snapshot.key.provider === name)?.snapshot;
}

/** Every workspace of a provider that we know of: the policy's, those keys were asked for in, those of keys we have. */
function workspacesAt(name: string, places: readonly KeyPlace[], entries: readonly TargetEntry[]): string[] {
  const known = [
    ...places
      .filter(({ snapshot }) => snapshot.key.provider === name)
      .map(({ snapshot }) => snapshot.key.settings.workspaceId),
    ...entries.flatMap(({ document }) => [
      ...Object.values(document.intents)
        .filter(({ provider }) => provider === name)
        .map(({ workspace }) => workspace),
      ...Object.values(document.issued)
        .filter(({ provider }) => provider === name)
        .map(({ settings }) => settings?.workspaceId),
    ]),
  ];
  return [...new Set(known.filter((id) => typeof id === "string"))];
}
