import type { KeyRecord, PolicySnapshot } from "../../journal/document.ts";
import type { KeyPolicy, SettingsPolicy } from "../../policy/schema.ts";
import type { KeyPatch } from "../../providers/provider.ts";
import type { SecretView } from "../../stores/store.ts";
import { shortHash } from "../names.ts";
import { settingsThatDiffer } from "../settings.ts";
import { type Decision, step } from "../step.ts";
import type { World } from "../world.ts";
import { changedByHand } from "./by-hand.ts";
import { currentFingerprint, needIssued, needStore } from "./common.ts";

/** How often a key in use is compared with the store and the policy, in milliseconds. */
const DRIFT_EVERY_MS = 24 * 3_600_000;

/** The settings of the policy that a key in use can still be given. */
export function patchable({
  limit,
  limitReset,
  includeByokInLimit,
  allowedProviders,
  allowedModels,
}: SettingsPolicy): KeyPatch {
  const entries = Object.entries({ limit, limitReset, includeByokInLimit, allowedProviders, allowedModels });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/**
 * Once a day, each current key against the store and the policy: one that was put there by hand is
 * adopted; a limit that was raised during an incident is reported, or set back with
 * `settingsDrift: apply`. Never while a rotation is open.
 */
export function checkDrift(world: World): Decision | undefined {
  if (world.document.rotation || !world.mayStart) return undefined;
  for (const [field, snapshot] of Object.entries(world.policies)) {
    const record = world.document.keys[field];
    if (record?.current === undefined || snapshot.key.suspend) continue;
    const decision = driftOf(world, field, snapshot, record, record.current.hash);
    if (decision) return decision;
  }
  return undefined;
}

function driftOf(
  world: World,
  field: string,
  { key }: PolicySnapshot,
  record: KeyRecord,
  hash: string,
): Decision | undefined {
  const since = record.drift?.hash === hash ? record.drift.at : freshlyMade(world, hash);
  const due = since === undefined ? 0 : Math.min(since, world.now) + DRIFT_EVERY_MS;
  if (world.now < due) return undefined;
  const store = needStore(world, field, due);
  if ("decision" in store) return store.decision;
  const changed = changedByHand(world, field, store.fact.value, record);
  if (changed) return changed;
  const kept = keptForNothing(world, field, key, store.fact.value);
  if (kept) return kept;
  const asked = patchable(key.settings);
  if (Object.keys(asked).length === 0)
    return step(
      { note: "drift", field, hash, differs: [] },
      "no-drift",
      currentFingerprint(store.fact.value) === record.current?.fingerprint
        ? `key ${shortHash(hash)} is still the secret's current`
        : "looks at the secret, which holds a value that cannot be told",
    );
  const issued = needIssued(world, field, hash, due);
  if ("decision" in issued) return issued.decision;
  const differs = issued.fact.value === undefined ? [] : settingsThatDiffer(asked, issued.fact.value);
  if (differs.length > 0 && key.settingsDrift === "apply")
    return step(
      { effect: "apply-settings", field, hash, patch: asked },
      "settings-applied",
      `gives key ${shortHash(hash)} the policy's settings: ${differs.join(", ")}`,
    );
  const says =
    differs.length === 0
      ? `key ${shortHash(hash)} has the settings of the policy`
      : `key ${shortHash(hash)} differs from the policy: ${differs.join(", ")}`;
  return step({ note: "drift", field, hash, differs }, differs.length === 0 ? "no-drift" : "drift", says);
}

/**
 * A key of ours that is neither current nor on its way out: a store that lagged behind has shown it as
 * current again. Where nobody can be asked who uses it, it stays, as one that was replaced by hand does.
 */
function keptForNothing(
  world: World,
  field: string,
  { consumers }: KeyPolicy,
  view: SecretView,
): Decision | undefined {
  const current = world.document.keys[field]?.current;
  if (consumers === "none" || currentFingerprint(view) !== current?.fingerprint) return undefined;
  const left = Object.values(world.document.issued).find(
    (one) => one.field === field && one.hash !== current?.hash && one.retire === undefined,
  );
  if (left === undefined) return undefined;
  return step(
    { note: "retire-again", field, hash: left.hash },
    "current-no-more",
    `key ${shortHash(left.hash)} is current no more, and on its way out`,
  );
}

/** A key that we issued has had the policy's settings since then. */
function freshlyMade(world: World, hash: string): number | undefined {
  const record = world.document.issued[hash];
  return record?.origin === "issued" ? record.createdAt : undefined;
}
