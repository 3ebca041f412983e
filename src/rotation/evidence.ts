import { sameFingerprint } from "../lib/secret.ts";
import type { KeyPolicy } from "../policy/schema.ts";
import { pollDelay } from "../probes/poll.ts";
import { confirms, type InstanceAnswer, membership, type Sweep } from "../probes/probe.ts";
import type { ConsumerEvidence, Evidence, Question } from "./world.ts";

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
    consumers,
  };
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
  return { ...evidence, consumers };
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

/** When the next sweep may begin. */
export function nextSweepAt(policy: KeyPolicy, evidence: Evidence | undefined): number {
  if (evidence === undefined) return 0;
  return evidence.lastAt + pollDelay(evidence.sweeps - 1, policy.confirm.interval);
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
