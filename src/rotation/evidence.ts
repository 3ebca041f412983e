import { sameFingerprint } from "../lib/secret.ts";
import type { KeyPolicy } from "../policy/schema.ts";
import { pollDelay } from "../probes/poll.ts";
import { confirms, type InstanceAnswer, membership, type Sweep } from "../probes/probe.ts";
import type { Asked, ConsumerEvidence, Evidence, Question } from "./world.ts";

const FORGOTTEN_MS = 3_600_000;

/**
 * How old the latest sweep may be for the sweeps to count as evidence, in milliseconds (R3): a gap
 * longer than this, such as a paused process, begins them anew.
 */
export function freshFor(policy: KeyPolicy): number {
  const consumers = policy.consumers === "none" ? [] : policy.consumers;
  const slowest = Math.max(0, ...consumers.map((consumer) => consumer.probe.timeout));
  return Math.max(2 * policy.confirm.interval, 30_000) + slowest;
}

/** The evidence, unless it has gone stale. */
export function freshEvidence(
  evidence: Evidence | undefined,
  policy: KeyPolicy,
  now: number,
): Evidence | undefined {
  return evidence && now - evidence.lastAt <= freshFor(policy) ? evidence : undefined;
}

/** Evidence with one more sweep of every consumer in it. A changed membership or a relapse starts the count again. */
export function addSweeps(
  before: Evidence | undefined,
  question: Question,
  sweeps: readonly Sweep[],
  at: number,
): Evidence {
  const consumers: Record<string, ConsumerEvidence> = {};
  for (const sweep of sweeps) {
    const previous = before?.consumers[sweep.consumer];
    const sameMembers = previous === undefined || membership(previous.last) === membership(sweep);
    const streak = confirms(sweep) ? (sameMembers ? (previous?.streak ?? 0) : 0) + 1 : 0;
    consumers[sweep.consumer] = { streak, at, last: sweep };
  }
  return {
    field: question.field,
    wanted: question.wanted,
    outgoing: question.outgoing,
    since: before?.since ?? at,
    sweeps: (before?.sweeps ?? 0) + 1,
    lastAt: at,
    relapsed:
      before !== undefined && (before.relapsed || commonStreak(consumers) < commonStreak(before.consumers)),
    consumers,
  };
}

/** How many sweeps in a row every consumer has confirmed in. */
function commonStreak(consumers: Evidence["consumers"]): number {
  return Math.min(...Object.values(consumers).map(({ streak }) => streak));
}

/**
 * Evidence for another question after sweeps that were not made for it: a consumer of which an
 * instance was just not seen to serve with its key starts its count again. What an instance holds
 * besides says nothing here: each question asks for other outgoing keys.
 */
export function unlessRefuted(
  evidence: Evidence,
  { field, wanted }: Question,
  sweeps: readonly Sweep[],
): Evidence {
  if (evidence.field !== field) return evidence;
  const serves = ({ verdict, serving }: InstanceAnswer) =>
    evidence.wanted === wanted
      ? verdict === "confirms" || verdict === "holds"
      : verdict === "other" && serving !== undefined && sameFingerprint(serving, evidence.wanted);
  const consumers = { ...evidence.consumers };
  for (const { consumer, instances, problem } of sweeps) {
    const known = consumers[consumer];
    if (known && !(problem === undefined && instances.every(serves)))
      consumers[consumer] = { ...known, streak: 0 };
  }
  const relapsed = evidence.relapsed || commonStreak(consumers) < commonStreak(evidence.consumers);
  return { ...evidence, relapsed, consumers };
}

/** The consumers that have to confirm, by name. */
export function requiredConsumers(policy: KeyPolicy, waived: readonly string[] = []): string[] {
  if (policy.consumers === "none") return [];
  return policy.consumers.map((consumer) => consumer.name).filter((name) => !waived.includes(name));
}

/** The consumers whose confirmation is still missing, by name. */
export function unconfirmed(
  policy: KeyPolicy,
  waived: readonly string[],
  evidence: Evidence | undefined,
): string[] {
  return requiredConsumers(policy, waived).filter(
    (name) => (evidence?.consumers[name]?.streak ?? 0) < policy.confirm.successThreshold,
  );
}

/** The consumers of which an instance, when last asked, served with a key or held it, by name. */
export function usersOf(
  fingerprint: string,
  policy: KeyPolicy,
  waived: readonly string[],
  evidence: Evidence | undefined,
): string[] {
  return requiredConsumers(policy, waived).filter((name) =>
    evidence?.consumers[name]?.last.instances.some(
      ({ verdict, serving }) =>
        verdict === "holds" || (serving !== undefined && sameFingerprint(serving, fingerprint)),
    ),
  );
}

/** Whether sweeps enough to judge by have been made in this pass (R4). */
export function sweptEnough(policy: KeyPolicy, evidence: Evidence | undefined): boolean {
  return requiredConsumers(policy).length === 0 || (evidence?.sweeps ?? 0) >= policy.confirm.successThreshold;
}

/** Whether all that is missing is more sweeps like the last one: every consumer asked for is confirming now (R4). */
export function underWay(missing: readonly string[], evidence: Evidence | undefined): boolean {
  return missing.length > 0 && missing.every((name) => (evidence?.consumers[name]?.streak ?? 0) > 0);
}

/**
 * When the next sweep may begin. The pauses grow to `interval`, also from pass to pass, and once more
 * from the start when every consumer confirms for the first time, so that what `successThreshold` asks
 * for is soon had; after a relapse they stay grown, so that a consumer that wavers is asked no more
 * often than that.
 */
export function nextSweepAt(
  policy: KeyPolicy,
  evidence: Evidence | undefined,
  asked: Asked | undefined,
  now: number,
): number {
  const lately = lastAsked(asked, policy, now);
  if (lately === undefined) return 0;
  const streak = evidence === undefined || evidence.relapsed ? 0 : commonStreak(evidence.consumers);
  const attempt = (streak > 0 ? streak : lately.sweeps) - 1;
  return lately.at + pollDelay(attempt, policy.confirm.interval);
}

/** As long as evidence of then would be fresh; nothing when the clock was set back since. */
function lastAsked(asked: Asked | undefined, policy: KeyPolicy, now: number): Asked | undefined {
  return asked && now >= asked.at && now - asked.at <= freshFor(policy) ? asked : undefined;
}

/** One more sweep for a question, begun at `at`. Questions that were not put for an hour are forgotten. */
export function countSweep(asked: Map<string, Asked>, key: string, policy: KeyPolicy, at: number): void {
  const sweeps = (lastAsked(asked.get(key), policy, at)?.sweeps ?? 0) + 1;
  // The one asked last stands last.
  asked.delete(key);
  asked.set(key, { sweeps, at });
  for (const [other, { at: last }] of asked) {
    if (last > at - FORGOTTEN_MS) break;
    asked.delete(other);
  }
}

/** What stands in the way, in one sentence, for a hold, a log line or `status`. */
export function describeMissing(names: readonly string[], evidence: Evidence | undefined): string {
  const parts = names.map((name) => {
    const last = evidence?.consumers[name]?.last;
    if (last === undefined) return `${name}: not asked yet`;
    if (last.problem !== undefined) return `${name}: ${last.problem}`;
    const wrong = last.instances.filter((answer) => answer.verdict !== "confirms");
    const first = wrong[0];
    if (first === undefined) return `${name}: confirming`;
    const more = wrong.length > 1 ? ` and ${wrong.length - 1} more` : "";
    return `${name}: ${first.instance}${more} ${first.detail}`;
  });
  return parts.join("; ");
}
