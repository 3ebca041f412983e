import type { RotationRecord } from "../../journal/document.ts";
import type { ErrorCode } from "../../lib/errors.ts";
import type { SecretView, StagedVersion, StoredVersion } from "../../stores/store.ts";
import { keysNamed } from "../named-keys.ts";
import { shortHash } from "../names.ts";
import { type Decision, patient, step, wait } from "../step.ts";
import { ACTIVATION_LIMIT_MS, PROVIDER_POLL_MS, STORE_FRESH_MS, stepBackoff, waitEnd } from "../timing.ts";
import type { World } from "../world.ts";
import {
  foreign,
  hold,
  type Need,
  needAccepted,
  needIssued,
  needList,
  needStore,
  sinceOrJustNow,
  skewed,
} from "./common.ts";
import { evidenceAgainstStray, remove } from "./retire.ts";
import { lostAfterAll } from "./staging.ts";

/** Creates without a reply, in a row, before a person is asked. */
const MOST_UNRESOLVED = 3;

/** Planned: get a replacement, and its plaintext into the store. */
export function planned(world: World, rotation: RotationRecord): Decision {
  return rotation.kind === "rollback"
    ? plannedRollback(world, rotation)
    : plannedReplacement(world, rotation);
}

function plannedReplacement(world: World, rotation: RotationRecord): Decision {
  const intent = rotation.intent === undefined ? undefined : world.document.intents[rotation.intent];
  if (intent === undefined || (intent.settled !== undefined && intent.settled !== "issued")) {
    const unresolved = Object.values(world.document.intents).filter(
      (other) =>
        other.rotation === rotation.id &&
        other.settled === "absent" &&
        other.plannedAt >= (rotation.releasedAt ?? 0),
    ).length;
    if (unresolved >= MOST_UNRESOLVED)
      return hold(
        "create-unresolved",
        `${unresolved} creates went out without a reply and none of the keys can be found; see the provider's dashboard, then approve`,
      );
    return step({ note: "intend" }, "intend", "writes down the exact name the new key will bear");
  }
  if (intent.sentAt === undefined) {
    const heard = hearProvider(world, rotation);
    if ("decision" in heard) return heard.decision;
    const skew = skewed(world, rotation.policy.key.provider);
    if (skew) return hold("clock-skew", skew);
    const store = needStore(world, rotation.field, sinceOrJustNow(world, rotation.phaseAt));
    if ("decision" in store) return store.decision;
    const changed = foreign(world, store.fact.value, [rotation.old?.fingerprint]);
    if (changed) return changed;
    const lost = afterLoss(world, rotation);
    if (lost) return lost;
    const late = lostAfterAll(world, rotation, store.fact.value);
    if (late) return late;
    return step(
      { effect: "create" },
      "create",
      `creates the key "${intent.name}" at the provider and stages it in the store`,
    );
  }
  const store = needStore(world, rotation.field, rotation.phaseAt);
  if ("decision" in store) return store.decision;
  const found = stagedBy(store.fact.value, rotation, intent.hash);
  if (found !== undefined)
    return step(
      {
        note: "staged",
        version: found.version,
        base: found.base,
        hash: found.hash,
        ...(found.value === undefined ? {} : { fingerprint: found.value.fingerprint() }),
        ...beneath(store.fact.value, found),
      },
      "staged-found",
      `finds key ${shortHash(found.hash)} staged in the store`,
    );
  const changed = foreign(world, store.fact.value, [rotation.old?.fingerprint]);
  if (changed) return changed;
  if (intent.hash !== undefined)
    return step(
      { note: "lost", hash: intent.hash },
      "plaintext-lost",
      `gives up key ${shortHash(intent.hash)}: its plaintext never reached the store`,
    );
  const list = needList(world, rotation.field, rotation.policy.key.provider, rotation.phaseAt);
  if ("decision" in list) return list.decision;
  const orphan = keysNamed(list.fact.value, intent.name).find(
    (key) => world.document.issued[key.hash] === undefined,
  );
  if (orphan !== undefined) {
    const { field, phaseAt: since } = rotation;
    const used = evidenceAgainstStray(world, { hash: orphan.hash, field, since });
    if (used) return used;
    return step(
      { effect: "delete-orphan", hash: orphan.hash, name: intent.name, field: rotation.field },
      "orphan-found",
      `deletes key ${shortHash(orphan.hash)}, whose plaintext was lost with the reply to its creation`,
    );
  }
  return step(
    { note: "settle", intent: intent.name, as: "absent" },
    "create-absent",
    `finds no key named "${intent.name}" in a complete walk, and will create one under a new name`,
  );
}

/**
 * A key was created and the store did not take it: that key goes first, and the next one is created
 * after a backoff, journalled, so that a store that is full for hours does not fill the provider with keys.
 */
function afterLoss(world: World, rotation: RotationRecord): Decision | undefined {
  if (rotation.lost === undefined) return undefined;
  const lost = Object.values(world.document.issued).find(
    ({ name, retire, version, mayBeCurrent, delete: deletion }) =>
      name !== undefined &&
      world.document.intents[name]?.rotation === rotation.id &&
      retire !== undefined &&
      version === undefined &&
      !mayBeCurrent &&
      // One whose delete has no reply may be gone, which only a current key can prove (R7).
      (deletion === undefined || deletion.acknowledged !== undefined),
  );
  if (lost) {
    const used = evidenceAgainstStray(world, { ...lost, since: rotation.phaseAt });
    return used ?? remove(world, lost);
  }
  const { failures } = rotation;
  const until = failures ? waitEnd(failures.at, stepBackoff(failures.count, 0.5), world.now) : 0;
  return failures && world.now < until
    ? wait(until, failures.code as ErrorCode, failures.message)
    : undefined;
}

/** An answer of just now, for the time that it bears. */
function hearProvider(world: World, { field, old, policy }: RotationRecord): Need<unknown> {
  const notBefore = world.now - STORE_FRESH_MS;
  return old
    ? needIssued(world, field, old.hash, notBefore)
    : needList(world, field, policy.key.provider, notBefore);
}

function stagedBy(view: SecretView, rotation: RotationRecord, hash: string | undefined) {
  return view.staged.find(
    (version) => version.rotation === rotation.id && (hash === undefined || version.hash === hash),
  );
}

/** What is current where a version was staged, while it still is. */
function beneath(view: SecretView, staged: StagedVersion): { beneath?: StoredVersion } {
  return view.current && view.base === staged.base ? { beneath: view.current } : {};
}

/** A rollback after completion: the old key is enabled, tried, and staged again as a new version (R1). */
function plannedRollback(world: World, rotation: RotationRecord): Decision {
  const hash = rotation.new?.hash as string;
  const record = world.document.issued[hash];
  if (record === undefined || record.delete)
    return step(
      {
        note: "fail",
        message: `key ${shortHash(hash)} is gone; nothing to roll back to`,
        hint: "run `rotate --now` to replace the current key",
      },
      "rollback-gone",
      "gives up the rollback: the previous key is gone",
    );
  if (record.disable) {
    const enable = patient(
      world,
      step(
        { effect: "enable", hash, field: rotation.field },
        "rollback-enable",
        `enables key ${shortHash(hash)} at the provider`,
      ),
    );
    if ("step" in enable) return enable;
    // Where it cannot be enabled, somebody may have replaced the current key long since.
    const store = needStore(world, rotation.field, rotation.phaseAt);
    if ("decision" in store) return store.decision;
    return foreign(world, store.fact.value, [rotation.old?.fingerprint]) ?? enable;
  }
  const accepted = needAccepted(world, rotation.field, hash, rotation.phaseAt);
  if ("decision" in accepted) return accepted.decision;
  if (accepted.fact.value === undefined)
    return step(
      {
        note: "fail",
        message: `the store keeps the plaintext of key ${shortHash(hash)} no more`,
        hint: "run `rotate --now` to replace the current key",
      },
      "rollback-lost",
      "gives up the rollback: the previous key's plaintext is gone",
    );
  if (!accepted.fact.value) {
    // By when the look was made: however slow the provider answers, the last one counts.
    if (accepted.fact.at - rotation.phaseAt > ACTIVATION_LIMIT_MS)
      return step(
        {
          note: "fail",
          message: `the provider goes on refusing key ${shortHash(hash)} after it was enabled`,
          hint: "run `rotate --now` to replace the current key",
        },
        "rollback-refused",
        "gives up the rollback: the previous key is refused",
      );
    const again = accepted.fact.at + PROVIDER_POLL_MS;
    if (world.now >= again)
      return step(
        { look: "accepted", field: rotation.field, hash },
        "look-accepted",
        `tries key ${shortHash(hash)} again`,
      );
    return wait(again, "activation", `key ${shortHash(hash)} to be accepted again`);
  }
  const store = needStore(world, rotation.field, rotation.phaseAt);
  if ("decision" in store) return store.decision;
  const found = stagedBy(store.fact.value, rotation, hash);
  if (found !== undefined)
    return step(
      { note: "staged", version: found.version, base: found.base, hash, ...beneath(store.fact.value, found) },
      "staged-found",
      `finds key ${shortHash(hash)} staged in the store`,
    );
  return step(
    { effect: "restore" },
    "rollback-stage",
    `stages the value of key ${shortHash(hash)} as a new version`,
  );
}
