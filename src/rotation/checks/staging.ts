import type { RotationRecord } from "../../journal/document.ts";
import type { SecretView } from "../../stores/store.ts";
import { shortHash } from "../names.ts";
import { settingsThatDiffer } from "../settings.ts";
import { type Decision, step, wait } from "../step.ts";
import { ACTIVATION_LIMIT_MS, PROVIDER_POLL_MS, STORE_FRESH_MS } from "../timing.ts";
import type { World } from "../world.ts";
import {
  along,
  currentFingerprint,
  foreign,
  needAccepted,
  needAttachments,
  needIssued,
  needStore,
  recordByFingerprint,
  sinceOrJustNow,
} from "./common.ts";

function abandon(message: string): Decision {
  return step({ note: "fail", message }, "abandon", `gives up the new key: ${message}`);
}

/** Gives the new key time to be accepted by the provider, and gives it up when that takes too long; undefined once it is, by a look no older than `notBefore`. */
function untilAccepted(world: World, rotation: RotationRecord, notBefore: number): Decision | undefined {
  const hash = rotation.new?.hash as string;
  const accepted = needAccepted(
    world,
    rotation.field,
    hash,
    world.accepted[hash]?.value === true ? notBefore : Math.max(notBefore, rotation.phaseAt),
  );
  if ("decision" in accepted) return accepted.decision;
  if (accepted.fact.value === undefined)
    return abandon(`the store no longer holds the plaintext of key ${shortHash(hash)}`);
  if (accepted.fact.value) return undefined;
  // By when the look was made: however slow the provider answers, the last one counts.
  if (overdue(rotation, accepted.fact.at))
    return abandon(`the provider goes on refusing key ${shortHash(hash)}`);
  const again = accepted.fact.at + PROVIDER_POLL_MS;
  if (world.now >= again)
    return step(
      { look: "accepted", field: rotation.field, hash },
      "look-accepted",
      `tries key ${shortHash(hash)} at the provider again`,
    );
  return wait(again, "activation", `key ${shortHash(hash)} to be accepted`);
}

function overdue({ phaseAt }: RotationRecord, at: number): boolean {
  return at - Math.min(phaseAt, at) > ACTIVATION_LIMIT_MS;
}

/** Staged: the new key must answer at the provider, and be what was asked for. */
export function staged(world: World, rotation: RotationRecord): Decision {
  const hash = rotation.new?.hash as string;
  const issued = needIssued(world, rotation.field, hash, rotation.phaseAt);
  const carried = needCarried(world, rotation);
  const refused = untilAccepted(world, rotation, 0);
  if (refused)
    return world.accepted[hash] === undefined
      ? along(refused, issued, carried, needStore(world, rotation.field, rotation.phaseAt))
      : refused;
  if ("decision" in issued) return along(issued.decision, carried);
  const key = issued.fact.value;
  if (key === undefined || key.disabled) {
    if (overdue(rotation, issued.fact.at))
      return abandon(`the provider shows key ${shortHash(hash)} as ${key ? "disabled" : "absent"}`);
    const again = issued.fact.at + PROVIDER_POLL_MS;
    if (world.now >= again)
      return step(
        { look: "issued", field: rotation.field, hash },
        "look-key",
        "asks about the new key again",
      );
    return wait(again, "activation", `the provider to show key ${shortHash(hash)}`);
  }
  const asked = rotation.intent === undefined ? undefined : world.document.intents[rotation.intent]?.settings;
  const differing = asked === undefined ? [] : settingsThatDiffer(asked, key);
  if (differing.length > 0) return abandon(`the new key is not what was asked for: ${differing.join(", ")}`);
  if (carried && "decision" in carried) return carried.decision;
  return step(
    { effect: "verify" },
    "verified",
    `key ${shortHash(hash)} answers and has the settings asked for`,
  );
}

/** What hangs on the old key, and is to hang on the new one; undefined where there is no old one to take it from. */
function needCarried(world: World, { field, kind, old }: RotationRecord) {
  return old === undefined || kind === "rollback" ? undefined : needAttachments(world, field, old.hash);
}

/**
 * A key that this rotation gave up and deleted, and that a store which shows late what was written
 * shows as staged after all: its plaintext leaves the store, where the room for versions is limited.
 */
export function lostAfterAll(
  { document }: World,
  rotation: RotationRecord,
  { staged }: SecretView,
): Decision | undefined {
  const intents = Object.values(document.intents).filter((intent) => intent.rotation === rotation.id);
  const stray = staged.find(
    ({ hash }) =>
      hash !== rotation.new?.hash &&
      document.issued[hash] === undefined &&
      intents.some((intent) => intent.hash === hash && intent.name !== rotation.intent),
  );
  if (stray === undefined) return undefined;
  return step(
    { effect: "forget", hash: stray.hash, field: rotation.field },
    "stray-staged",
    `key ${shortHash(stray.hash)} is deleted, and was staged after all; its plaintext leaves the store`,
  );
}

/** Verified: compare-and-swap current from the version that was read to the one that was verified. */
export function verified(world: World, rotation: RotationRecord): Decision {
  const store = needStore(world, rotation.field, sinceOrJustNow(world, rotation.phaseAt));
  if ("decision" in store) return store.decision;
  const view = store.fact.value;
  const fresh = rotation.new as NonNullable<RotationRecord["new"]>;
  const shown = currentFingerprint(view);
  if (shown !== undefined && shown === fresh.fingerprint)
    return step({ note: "promoted" }, "promoted-found", "finds the new key current already");
  const replaced = shown === undefined ? undefined : recordByFingerprint(world, rotation.field, shown);
  const changed = foreign(world, view, [rotation.old?.fingerprint, ...(replaced?.distrusted ? [shown] : [])]);
  if (changed) return changed;
  // The journal may be an older one than the world: that the key was verified once does not say that it still works.
  const refused = untilAccepted(world, rotation, world.now - STORE_FRESH_MS);
  if (refused) return refused;
  const lost = lostAfterAll(world, rotation, view);
  if (lost) return lost;
  if (view.base === fresh.base && fresh.version !== undefined)
    return step(
      { effect: "promote", version: fresh.version, base: view.base },
      "promote",
      `makes key ${shortHash(fresh.hash)} the store's current`,
    );
  return step(
    { effect: "restage", base: view.base },
    "base-moved",
    "stages the new key again, because the secret was edited meanwhile",
  );
}
