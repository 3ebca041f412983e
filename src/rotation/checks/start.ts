import type { PolicySnapshot, RotationKind } from "../../journal/document.ts";
import { sameOwner } from "../../lib/owner.ts";
import type { KeyPolicy } from "../../policy/schema.ts";
import { shortHash } from "../names.ts";
import type { HoldReason } from "../reasons.ts";
import { type Decision, type Effect, type Look, step, stepKey } from "../step.ts";
import { STORE_FRESH_MS } from "../timing.ts";
import type { Question, World } from "../world.ts";
import {
  acceptCurrent,
  along,
  currentFingerprint,
  evidenceFor,
  type Need,
  needAccepted,
  needIssued,
  needList,
  needStore,
  recordByFingerprint,
  skewed,
} from "./common.ts";

/**
 * Something should be started for this key and cannot be: journalled once, with what to do. Where an
 * operator asked for it, the request is refused; the key itself is blocked only if it is due as well.
 */
export function block(
  world: World,
  field: string,
  code: HoldReason,
  requests: string[],
  says: string,
): Decision {
  if (requests.length > 0) return step({ note: "answer", field, refused: true, requests }, code, says);
  const before = world.document.keys[field]?.blocked;
  if (before?.reason === code && before.message === says) return { parked: { reason: code, says } };
  return step({ note: "block", field, code }, code, says);
}

/** A step before the start of a rotation: when it has failed in this pass, the key is blocked by that. */
function orBlocked(world: World, field: string, requests: string[], decision: Decision): Decision {
  if (!("step" in decision) || "note" in decision.step) return decision;
  const failure = world.failed[stepKey(decision.step as Look | Effect)];
  if (failure === undefined) return decision;
  const { code, message, hint } = failure.error;
  return block(world, field, code, requests, hint ? `${message}; ${hint}` : message);
}

function have<T>(
  world: World,
  field: string,
  requests: string[],
  need: Need<T>,
): { value: T } | { decision: Decision } {
  return "fact" in need
    ? { value: need.fact.value }
    : { decision: orBlocked(world, field, requests, need.decision) };
}

/**
 * Whose secret it is and what is current in it: claims it when nobody has, adopts a current value
 * that we did not issue (R11, R13). Undefined when all that is settled, also when nothing is current.
 */
export function identifyCurrent(
  world: World,
  field: string,
  snapshot: PolicySnapshot,
  requests: string[],
): Decision | undefined {
  const { name } = snapshot.key;
  const store = have(world, field, requests, needStore(world, field, world.now - STORE_FRESH_MS));
  if ("decision" in store) return store.decision;
  const view = store.value;
  if (view.foreign !== undefined) return block(world, field, "foreign-rotation", requests, view.foreign);
  if (view.owner !== undefined && !sameOwner(view.owner, world.owner))
    return block(
      world,
      field,
      "rival-owner",
      requests,
      `the secret is kept by installation "${view.owner.installation}" (journal ${view.owner.journal}); if that one is gone for good: rotate --now ${name} --take-over`,
    );
  const shown = currentFingerprint(view);
  if (shown === undefined) {
    const claim = claimFirst(world, field, requests, view.owner === undefined);
    return claim ?? unadopted(world, field, snapshot.key, requests) ?? vanished(world, field, name, requests);
  }
  const record = recordByFingerprint(world, field, shown);
  const known = world.document.keys[field]?.current;
  if (record === undefined) {
    const adopt = step(
      { effect: "adopt", field },
      "adopt",
      `finds out which of the provider's keys the current value is`,
    );
    return orBlocked(world, field, requests, adopt);
  }
  const claim = claimFirst(world, field, requests, view.owner === undefined);
  if (claim) return claim;
  if (record.hash !== known?.hash) return acceptCurrent(field, record.hash);
  return undefined;
}

function claimFirst(world: World, field: string, requests: string[], unowned: boolean): Decision | undefined {
  if (!unowned) return undefined;
  const claim = step(
    { effect: "claim", field, takeOver: false, requests: [] },
    "claim",
    "stamps our name beside the secret",
  );
  return orBlocked(world, field, requests, claim);
}

/** The policy says that a key of ours is in the secret, and there is none: making another would leave that one in use and forgotten. */
function unadopted(
  world: World,
  field: string,
  { adopt, store }: KeyPolicy,
  requests: string[],
): Decision | undefined {
  if (adopt === undefined || world.document.keys[field]?.current !== undefined) return undefined;
  const where = store.field === undefined ? store.secret : `${store.secret}, field ${store.field}`;
  return block(
    world,
    field,
    "adopt-absent",
    requests,
    `the policy says that key ${shortHash(adopt.hash)} is in the secret (\`adopt\`), and ${where} holds none; put it there, or take \`adopt\` out of the policy and a new key is made`,
  );
}

/** The journal knows a current key and the store shows none: a person decides, by `--now`. */
function vanished(world: World, field: string, name: string, requests: string[]): Decision | undefined {
  const known = world.document.keys[field]?.current;
  if (known === undefined || requests.length > 0) return undefined;
  return block(
    world,
    field,
    "current-vanished",
    requests,
    `the store shows no value where key ${shortHash(known.hash)} was; put it back, or run \`rotate --now ${name}\` to provision a new one`,
  );
}

/** All that must be true before a rotation is planned; the provider has not been asked for anything yet. */
export function startChecks(
  world: World,
  field: string,
  snapshot: PolicySnapshot,
  start: { actor: string; why: string; requests: string[] },
): Decision {
  const { actor, why, requests } = start;
  const policy = snapshot.key;
  const identified = identifyCurrent(world, field, snapshot, requests);
  if (identified) return along(identified, ...preflights(world, field, policy));
  const view = (world.store[field] as NonNullable<World["store"][string]>).value;
  const current = view.current?.value === undefined ? undefined : world.document.keys[field]?.current;
  const kind: RotationKind = current === undefined ? "provision" : "rotate";
  const preflight = current
    ? have(world, field, requests, needIssued(world, field, current.hash, world.now - STORE_FRESH_MS))
    : have(world, field, requests, needList(world, field, policy.provider, world.now - STORE_FRESH_MS));
  if ("decision" in preflight) return preflight.decision;
  const stranger = current && preflight.value === undefined && notOurAccount(world, field, current, requests);
  if (stranger) return stranger;
  const skew = skewed(world, policy.provider);
  if (skew) return block(world, field, "clock-skew", requests, skew);
  if (current) {
    const unhealthy = firstSweep(world, healthQuestion(field, policy, current), requests);
    if (unhealthy) return unhealthy;
  }
  const says =
    kind === "provision"
      ? `PROVISIONS a first key, because the secret has none (${why})`
      : `starts a rotation (${why})`;
  return step({ note: "start", field, kind, actor, why, requests }, kind, says);
}

/** What is asked about a key that the journal knows as current, once the store has shown it. */
function preflights(world: World, field: string, policy: KeyPolicy): Need<unknown>[] {
  const known = world.document.keys[field]?.current;
  if (known === undefined) return [];
  const sweep = firstSweep(world, healthQuestion(field, policy, known), []);
  return [
    needIssued(world, field, known.hash, world.now - STORE_FRESH_MS),
    ...(sweep ? [{ decision: sweep }] : []),
  ];
}

function healthQuestion(
  field: string,
  policy: KeyPolicy,
  { hash, fingerprint }: { hash: string; fingerprint: string },
): Question {
  return { field, policy, hash, wanted: fingerprint, outgoing: [] };
}

/**
 * The provider does not show the current key. If it accepts it all the same, our management key
 * belongs elsewhere: what we made would be in the wrong account, and the old key could not be ended.
 */
function notOurAccount(
  world: World,
  field: string,
  current: { hash: string },
  requests: string[],
): Decision | undefined {
  const accepted = have(world, field, requests, needAccepted(world, field, current.hash));
  if ("decision" in accepted) return accepted.decision;
  if (!accepted.value) return undefined;
  return block(
    world,
    field,
    "another-account",
    requests,
    `the provider accepts key ${shortHash(current.hash)}, and does not show it to this management key; use a management key of the account and workspace that issued it`,
  );
}

/** A consumer that is down already could never confirm: it blocks the start. */
function firstSweep(world: World, question: Question, requests: string[]): Decision | undefined {
  const { policy, field } = question;
  if (policy.consumers === "none") return undefined;
  const evidence = evidenceFor(world, question);
  if (evidence === undefined)
    return step(
      { look: "sweep", field, question },
      "first-sweep",
      "asks every consumer whether it is well before anything starts",
    );
  for (const [consumer, { last }] of Object.entries(evidence.consumers)) {
    const ill = last.instances.find((answer) => answer.verdict === "silent" || answer.verdict === "unwell");
    const problem = last.problem ?? (ill && `${ill.instance} ${ill.detail}`);
    if (problem !== undefined)
      return block(
        world,
        field,
        "consumer-unhealthy",
        requests,
        `consumer ${consumer} is not well: ${problem}`,
      );
  }
  return undefined;
}
