import type { IssuedRecord } from "../../journal/document.ts";
import {
  describeMissing,
  requiredConsumers,
  sweptEnough,
  unconfirmed,
  underWay,
  usersOf,
} from "../evidence.ts";
import { shortHash } from "../names.ts";
import { type Decision, patient, step, wait } from "../step.ts";
import { STORE_FRESH_MS } from "../timing.ts";
import type { World } from "../world.ts";
import {
  along,
  currentFingerprint,
  evidenceFor,
  foreign,
  gateForKey,
  needList,
  needStore,
  sinceOrJustNow,
  snapshotFor,
  sweepOrWait,
} from "./common.ts";

/** `revoke --immediately`: distrusted keys go before anything else, whoever uses them (R12). */
export function checkRevokedNow(world: World): Decision | undefined {
  let waiting: Decision | undefined;
  for (const record of Object.values(world.document.issued)) {
    if (!record.distrusted || !record.retire?.immediately) continue;
    const next = remove(world, record);
    const decision = next && patient(world, next);
    if (decision && "step" in decision) return decision;
    waiting = earlier(waiting, decision);
  }
  return waiting;
}

/** Old keys on their way out: disabled, soaked, deleted; each upon fresh evidence (R3). Only between rotations. */
export function checkRetirements(world: World): Decision | undefined {
  if (world.document.rotation) return undefined;
  let waiting: Decision | undefined;
  for (const record of Object.values(world.document.issued)) {
    if (record.retire === undefined) continue;
    const next = retire(world, record);
    const decision = next && patient(world, next);
    if (decision && "step" in decision) return decision;
    waiting = earlier(waiting, decision);
  }
  return waiting;
}

function retire(world: World, record: IssuedRecord): Decision | undefined {
  const snapshot = snapshotFor(world, record.field);
  if (snapshot === undefined || record.retire === undefined) return undefined;
  if (record.delete?.acknowledged !== undefined) return gone(world, record);
  const dueAt = Math.min(record.retire.dueAt, world.now + record.retire.keepFor);
  if (record.disable?.acknowledged !== undefined && world.now < dueAt)
    return wait(dueAt, "soak", `key ${shortHash(record.hash)} is disabled and will be deleted`);
  const closed = record.distrusted ? undefined : gateForKey(world, record.field, record.hash);
  if (closed) return closed;
  // The store is read before each: once more after the key was disabled.
  const since = Math.max(
    sinceOrJustNow(world, record.retire.since),
    Math.min(record.disable?.acknowledged ?? 0, world.now),
  );
  return evidenceAgainst(world, record, since) ?? remove(world, record);
}

/**
 * What speaks against deleting a key that bears a name of ours and that the journal does not hold: one
 * that was put back as it was before may have forgotten that the key was promoted, and consumers
 * serve with it. `since` is when the walk that found it began.
 */
export function evidenceAgainstStray(
  world: World,
  {
    hash,
    field,
    fingerprint,
    since,
  }: Pick<IssuedRecord, "hash" | "field" | "fingerprint"> & { since: number },
): Decision | undefined {
  const key = world.document.keys[field];
  if (key?.current === undefined && world.store[field]?.value.current?.value === undefined) return undefined;
  const stray: IssuedRecord = {
    hash,
    field,
    provider: key?.provider ?? "",
    origin: "issued",
    // Who uses a key of which only the hash is known cannot be seen: every consumer must confirm the current one.
    ...(fingerprint === undefined ? { mayBeCurrent: true } : { fingerprint }),
  };
  return evidenceAgainst(world, stray, since);
}

/** What still speaks against disabling or deleting it now, or what has to be looked at first: the store no earlier than `since`. */
function evidenceAgainst(world: World, record: IssuedRecord, since: number): Decision | undefined {
  const snapshot = snapshotFor(world, record.field);
  const current = world.document.keys[record.field]?.current;
  if (snapshot === undefined || current === undefined)
    return {
      parked: {
        reason: "no-current",
        says: `key ${shortHash(record.hash)} stays, because no key is known to be current`,
      },
    };
  const policy = snapshot.key;
  const waived = record.retire?.waived ?? [];
  const { fingerprint, mayBeCurrent } = record;
  const asked = requiredConsumers(policy, waived).length > 0 && (mayBeCurrent || fingerprint !== undefined);
  const asks = asked && !record.distrusted;
  const question = {
    field: record.field,
    policy,
    hash: current.hash,
    wanted: current.fingerprint,
    outgoing: fingerprint === undefined ? [] : [fingerprint],
  };
  const evidence = asks ? evidenceFor(world, question) : undefined;
  if (asks) {
    // One that was never promoted needs nobody's word; but a journal that was put back may not know that it was.
    const missing = mayBeCurrent
      ? unconfirmed(policy, waived, evidence)
      : usersOf(fingerprint as string, policy, waived, evidence);
    const says = `key ${shortHash(record.hash)} stays: ${describeMissing(missing, evidence)}`;
    if (missing.length > 0 && sweptEnough(policy, evidence) && !underWay(missing, evidence)) {
      const next = sweepOrWait(world, question, says);
      return "wait" in next ? { parked: { reason: "still-used", says, until: next.wait.until } } : next;
    }
    if (missing.length > 0 || evidence === undefined) return sweepOrWait(world, question, says);
  }
  const notBefore = Math.max(evidence?.lastAt ?? world.now - STORE_FRESH_MS, since);
  const store = needStore(world, record.field, notBefore);
  if ("decision" in store) return store.decision;
  return currentAgainst(world, record, store.fact.value, current.fingerprint);
}

function currentAgainst(
  world: World,
  record: IssuedRecord,
  view: Parameters<typeof currentFingerprint>[0],
  expected: string,
): Decision | undefined {
  const shown = currentFingerprint(view);
  if (record.fingerprint !== undefined && shown === record.fingerprint)
    return record.distrusted
      ? {
          parked: {
            reason: "distrusted-current",
            says: `key ${shortHash(record.hash)} is distrusted and still current`,
          },
        }
      : step(
          { note: "unretire", hash: record.hash },
          "current-again",
          `keeps key ${shortHash(record.hash)}, which is current again`,
        );
  if (foreign(world, view, [expected]) && !record.distrusted)
    return {
      parked: {
        reason: "foreign-current",
        says: `key ${shortHash(record.hash)} stays, because the secret was changed by someone else`,
      },
    };
  if (record.promotionBase !== undefined && record.promotionBase === view.base)
    return step(
      { effect: "rewrite", hash: record.hash, field: record.field, base: view.base },
      "fence",
      "rewrites the current value as a new version, so that no late promotion of the given-up key can succeed",
    );
  return undefined;
}

/** The next step to be rid of a key that nothing speaks for any more. */
export function remove(world: World, record: IssuedRecord): Decision | undefined {
  if (record.delete?.acknowledged !== undefined) return gone(world, record);
  if (record.disable?.acknowledged === undefined && record.retire?.keepFor !== 0)
    return step(
      { effect: "disable", hash: record.hash, field: record.field },
      "retire-disable",
      `disables key ${shortHash(record.hash)} at the provider (${record.retire?.why})`,
    );
  return step(
    { effect: "delete", hash: record.hash, field: record.field },
    "retire-delete",
    `deletes key ${shortHash(record.hash)} at the provider (${record.retire?.why})`,
  );
}

/** A deleted key that is still current is known until another takes its place: only then can its plaintext leave the store. */
function gone(world: World, record: IssuedRecord): Decision | undefined {
  if (world.document.keys[record.field]?.current?.hash === record.hash) return undefined;
  const forget = step(
    { effect: "forget", hash: record.hash, field: record.field },
    "deleted",
    `key ${shortHash(record.hash)} is deleted; its plaintext leaves the store`,
  );
  return along(forget, nextWalk(world));
}

/** The list that is walked once a rotation has ended. */
function nextWalk(world: World) {
  const { walk } = world.document;
  const snapshot = walk && snapshotFor(world, walk.field);
  return snapshot && needList(world, walk.field, snapshot.key.provider, walk.since);
}

function earlier(a: Decision | undefined, b: Decision | undefined): Decision | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const at = (decision: Decision) =>
    "wait" in decision
      ? decision.wait.until
      : "parked" in decision
        ? (decision.parked.until ?? Infinity)
        : Infinity;
  return at(b) < at(a) ? b : a;
}
