import type { IssuedRecord, PolicySnapshot, RotationRecord } from "../../journal/document.ts";
import { sameOwner } from "../../lib/owner.ts";
import type { KeyPolicy } from "../../policy/schema.ts";
import type { Attachment, IssuedKey } from "../../providers/provider.ts";
import { windowState } from "../../schedule/windows.ts";
import type { SecretView } from "../../stores/store.ts";
import { freshEvidence, nextSweepAt } from "../evidence.ts";
import { shortHash } from "../names.ts";
import type { HoldReason } from "../reasons.ts";
import { type Decision, step, wait } from "../step.ts";
import { JUST_NOW_MS, SKEW_LIMIT_MS, STORE_FRESH_MS } from "../timing.ts";
import { type Evidence, type Fact, type Question, questionKey, type World } from "../world.ts";

/** What a check answers: a decision, or undefined when it has nothing to say. */
export type Check = (world: World) => Decision | undefined;

/** A fact, or the look that would give it. */
export type Need<T> = { fact: Fact<T> } | { decision: Decision };

/** An instant of the journal that lies ahead of a clock that is behind asks for no more than a look of this pass. */
function isSince(world: World, fact: Fact<unknown>, notBefore: number): boolean {
  return notBefore > world.now || fact.at >= notBefore;
}

/**
 * From when on a look at the store counts for what began at `since`: one of just now does as well, since
 * a change of ours would have made it forgotten.
 */
export function sinceOrJustNow(world: World, since: number): number {
  return Math.min(since, world.now - JUST_NOW_MS);
}

/** The fact, where it is from `notBefore` on; else the look. */
function factOr<T>(world: World, fact: Fact<T> | undefined, notBefore: number, look: Decision): Need<T> {
  return fact && isSince(world, fact, notBefore) ? { fact } : { decision: look };
}

/** The store's view of a field, looked at no earlier than `notBefore`. */
export function needStore(world: World, field: string, notBefore = 0): Need<SecretView> {
  return factOr(
    world,
    world.store[field],
    notBefore,
    step({ look: "store", field }, "look-store", "reads the secret in the store"),
  );
}

export function needIssued(
  world: World,
  field: string,
  hash: string,
  notBefore = 0,
): Need<IssuedKey | undefined> {
  return factOr(
    world,
    world.issued[hash],
    notBefore,
    step({ look: "issued", field, hash }, "look-key", `asks the provider about key ${shortHash(hash)}`),
  );
}

export function needAccepted(
  world: World,
  field: string,
  hash: string,
  notBefore = 0,
): Need<boolean | undefined> {
  return factOr(
    world,
    world.accepted[hash],
    notBefore,
    step({ look: "accepted", field, hash }, "look-accepted", `tries key ${shortHash(hash)} at the provider`),
  );
}

export function needList(world: World, field: string, provider: string, notBefore = 0): Need<IssuedKey[]> {
  return factOr(
    world,
    world.listed[provider],
    notBefore,
    step({ look: "list", field }, "look-list", "walks the provider's list of keys"),
  );
}

/** What hangs on a key's hash at the provider. */
export function needAttachments(
  world: World,
  field: string,
  hash: string,
): Need<Attachment[] | { unknown: string }> {
  return factOr(
    world,
    world.attachments[hash],
    0,
    step(
      { look: "attachments", field, hash },
      "look-attachments",
      `asks the provider what hangs on key ${shortHash(hash)}`,
    ),
  );
}

/**
 * A look or an effect, together with the looks that will be needed after it and are missing still; any
 * other decision as it is. One that fails along with it is made again by itself when its turn comes.
 */
export function along(decision: Decision, ...needs: (Need<unknown> | undefined)[]): Decision {
  if (!("step" in decision) || "note" in decision.step) return decision;
  const also = needs.flatMap((need) => {
    if (need === undefined || "fact" in need || !("step" in need.decision)) return [];
    return "look" in need.decision.step ? [need.decision.step] : [];
  });
  return also.length === 0 ? decision : { step: { ...decision.step, also } };
}

/** What the sweeps of this pass show about a question, while they are fresh. */
export function evidenceFor(world: World, question: Question): Evidence | undefined {
  const evidence = world.evidence[questionKey(question.field, question.wanted, question.outgoing)];
  return freshEvidence(evidence, question.policy, world.now);
}

/** The next sweep, or the wait for it (never beyond `until`). */
export function sweepOrWait(
  world: World,
  question: Question,
  says: string,
  until = Number.POSITIVE_INFINITY,
): Decision {
  const asked = world.asked.get(questionKey(question.field, question.wanted, question.outgoing));
  const at = nextSweepAt(question.policy, evidenceFor(world, question), asked, world.now);
  if (world.now >= at)
    return step(
      { look: "sweep", field: question.field, question },
      "look-consumers",
      "asks every consumer which key it uses",
    );
  return wait(Math.min(at, until), "consumers", says);
}

/** What a field's key was last, or is now, under: the present policy, else what its latest rotation ran under. */
export function snapshotFor(world: World, field: string): PolicySnapshot | undefined {
  return world.policies[field] ?? world.document.keys[field]?.policy;
}

/** The fingerprint of the value that the store shows as current. */
export function currentFingerprint(view: SecretView): string | undefined {
  return view.current?.value?.fingerprint();
}

/** What the store shows as current is one of ours that the journal did not take for it. */
export function acceptCurrent(field: string, hash: string): Decision {
  return step(
    { note: "accept-current", field, hash },
    "current-changed",
    `takes key ${shortHash(hash)} as current, as the store shows`,
  );
}

/** The key recorded for a field that has this fingerprint. */
export function recordByFingerprint(
  world: World,
  field: string,
  fingerprint: string,
): IssuedRecord | undefined {
  return Object.values(world.document.issued).find(
    (record) => record.field === field && record.fingerprint === fingerprint,
  );
}

/** Holds when the secret is somebody else's now, or its current value none of those expected (R11, R14). */
export function foreign(
  world: World,
  view: SecretView,
  expected: readonly (string | undefined)[],
): Decision | undefined {
  if (view.owner !== undefined && !sameOwner(view.owner, world.owner))
    return hold(
      "rival-owner",
      `the secret was taken over by installation "${view.owner.installation}"; both keys live`,
    );
  if (expected.includes(currentFingerprint(view))) return undefined;
  return hold("foreign-current", "the secret was changed by someone else; neither key was touched since");
}

export function hold(code: HoldReason, message: string): Decision {
  return step({ note: "hold", code, message }, code, `holds: ${message}`);
}

/** Our clock and the provider's are too far apart for anything to be created or deleted (R15). */
export function skewed(world: Pick<World, "skewMs">, provider: string): string | undefined {
  const skew = Math.abs(world.skewMs[provider] ?? 0);
  if (skew <= SKEW_LIMIT_MS) return undefined;
  return `our clock and the provider's are ${Math.round(skew / 60_000)} minutes apart; set the clock`;
}

/** What speaks against disabling or deleting a key now, its consumers apart: a closed gate, or clocks that disagree by an answer of just now. */
export function gateForKey(world: World, field: string, hash: string): Decision | undefined {
  const closed = gate(world, field);
  if (closed) return closed;
  const provider = snapshotFor(world, field)?.key.provider ?? "";
  const since = world.now - STORE_FRESH_MS;
  if ((world.heard[provider] ?? Number.NEGATIVE_INFINITY) < since) {
    const heard = needIssued(world, field, hash, since);
    if ("decision" in heard) return heard.decision;
  }
  const skew = skewed(world, provider);
  return skew === undefined ? undefined : { parked: { reason: "clock-skew", says: skew } };
}

/** Whether keys may be started, disabled and deleted now; suspended keys and closed windows say no. */
export function gate(world: World, field: string): Decision | undefined {
  const policy = world.policies[field]?.key;
  if (policy === undefined) return undefined;
  if (policy.suspend)
    return { parked: { reason: "suspended", says: "suspended in the policy (suspend: true)" } };
  const state = windowState(policy.windows, policy.timezone, world.now);
  if (state.open) return undefined;
  const says = state.why ?? "a window is closed";
  return state.opensAt === undefined
    ? { parked: { reason: "window", says } }
    : wait(state.opensAt, "window", says);
}

/** The question that the consumers of a rotation are asked in its present direction. */
export function rotationQuestion(
  rotation: RotationRecord,
  direction: "forward" | "back",
): Question | undefined {
  const [wanted, outgoing] =
    direction === "forward" ? [rotation.new, rotation.old] : [rotation.old, rotation.new];
  if (wanted?.fingerprint === undefined) return undefined;
  return {
    field: rotation.field,
    policy: rotation.policy.key,
    hash: wanted.hash,
    wanted: wanted.fingerprint,
    outgoing: outgoing?.fingerprint === undefined ? [] : [outgoing.fingerprint],
  };
}

/**
 * Whether a key may become current again: no disable or delete of it is unacknowledged (R2), it is
 * not distrusted (R12), and it is not about to expire (R5).
 */
export function mayReturn(world: World, record: IssuedRecord | undefined, policy: KeyPolicy): boolean {
  if (record === undefined || record.delete || record.distrusted || record.unsure) return false;
  if (record.disable && record.disable.acknowledged === undefined) return false;
  return world.now < expiryDue(record, policy);
}

/** The instant from which a key is due because it expires: `renewBefore`, or a third of its life, ahead. */
export function expiryDue(record: IssuedRecord, policy: KeyPolicy): number {
  const { expiresAt, createdAt = expiresAt } = record;
  if (expiresAt === undefined || createdAt === undefined) return Number.POSITIVE_INFINITY;
  return expiresAt - (policy.renewBefore ?? (expiresAt - createdAt) / 3);
}
