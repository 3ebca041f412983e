import type { KubeObject } from "../../kubernetes/api.ts";
import { answerOf, byInstance } from "../answers.ts";
import type { Judgement } from "../judgement.ts";
import type { Expected, InstanceAnswer } from "../probe.ts";
import { secondAt, timeSaid } from "./fields.ts";
import { isTerminating, podIdentity, startedAt, troubleOf } from "./pods.ts";
import { progressOf } from "./progress.ts";
import { type Carried, carried, entriesWith } from "./secret-entry.ts";
import { stampedHash } from "./stamp.ts";
import { unrestartable, type WorkloadRef } from "./workload.ts";

/** What one sweep has read; `pods` are those of the workload that may still run. */
export interface RolloutFacts {
  workload: WorkloadRef;
  found: KubeObject;
  pods: readonly KubeObject[];
  secretName: string;
  secret: KubeObject | undefined;
  /** The one entry of the Secret that is the key, where that is known. */
  entry?: string | undefined;
}

/**
 * Judges a workload whose pods read the key at their start: the workload itself is one instance,
 * for its rollout and the Secret, and so is every pod that may still run. All confirm together only
 * when the template bears the stamp of the expected key, the rollout is complete, no pod of another
 * template is left, the Secret carries the key, and every pod came after that.
 */
export function judgeRollout(facts: RolloutFacts, expected: Expected): InstanceAnswer[] {
  const { workload, pods, secret, entry } = facts;
  const carries = secret && carried(secret, expected.fingerprint, entry);
  const judged = pods.map((pod) => answerOf(podIdentity(pod), judgePod(pod, expected, carries)));
  return [answerOf(workload.said, judgeWorkload(facts, expected, carries)), ...judged.sort(byInstance)];
}

function judgeWorkload(facts: RolloutFacts, expected: Expected, carries: Carried | undefined): Judgement {
  const { workload, found, pods, secretName, secret } = facts;
  const hindrance = unrestartable(workload, found);
  if (hindrance) return { verdict: "unwell", detail: `${hindrance.why} (${hindrance.hint})` };
  const { state, says } = progressOf(workload, found);
  const far = says + troubles(pods);
  if (state === "unwell") return { verdict: "unwell", detail: far };
  if (secret === undefined)
    return { verdict: "unwell", detail: `reads Secret ${secretName}, which is not there` };
  const hash = stampedHash(found, expected, "spec", "template");
  if (hash === undefined)
    return { verdict: "other", detail: `bears no stamp of ${expected.keyNames[0]} on its pod template` };
  if (hash !== expected.hash)
    return { verdict: "other", detail: "bears the stamp of another key on its pod template" };
  if (carries === undefined)
    return { verdict: "other", detail: `reads Secret ${secretName}, which does not carry the expected key` };
  if (carries.since === undefined)
    return {
      verdict: "unwell",
      detail: `reads Secret ${secretName}, whose managedFields do not tell its age`,
    };
  if (state === "under-way") return { verdict: "other", detail: far };
  if (state === "zero" && pods.length > 0)
    return { verdict: "other", detail: `${says}, ${pods.length} pods have not ended yet` };
  const stale = entriesWith(secret, expected.outgoing);
  if (stale.length > 0)
    return {
      verdict: "holds",
      detail: `reads Secret ${secretName}, which still has the old key in ${stale.join(", ")}`,
    };
  return { verdict: "confirms", detail: state === "zero" ? `${says}, no pod is left` : says };
}

/** The first pod that cannot run, and why. */
function troubles(pods: readonly KubeObject[]): string {
  for (const pod of pods) {
    const trouble = troubleOf(pod);
    if (trouble !== undefined) return `, ${pod.metadata.name}: ${trouble}`;
  }
  return "";
}

function judgePod(pod: KubeObject, expected: Expected, carries: Carried | undefined): Judgement {
  const trouble = troubleOf(pod);
  if (trouble !== undefined) return { verdict: "unwell", detail: trouble };
  const leaving = isTerminating(pod) ? ", still terminating" : "";
  const hash = stampedHash(pod, expected);
  if (hash === undefined || hash !== expected.hash)
    return {
      verdict: "other",
      detail: `is of ${hash === undefined ? "a" : "another"} template without the stamp of the expected key${leaving}`,
    };
  if (carries?.since === undefined)
    return { verdict: "other", detail: "cannot be judged: since when its Secret has the key is not known" };
  const { since } = carries;
  const created = secondAt(pod, "metadata", "creationTimestamp");
  const start = startedAt(pod);
  // Within the same second nothing tells which came first.
  if (created === undefined || created <= since)
    return { verdict: "other", detail: tooOld("was created at", created, since) + leaving };
  if (start !== undefined && start <= since)
    return { verdict: "other", detail: tooOld("runs, by its node's clock, since", start, since) + leaving };
  if (start === undefined && leaving === "") return { verdict: "other", detail: "has not started yet" };
  return {
    verdict: "confirms",
    detail: `was created at ${timeSaid(created)}, after its Secret had the key (${timeSaid(since)})`,
  };
}

function tooOld(what: string, instant: number | undefined, since: number): string {
  const when = instant === undefined ? "an unknown time" : timeSaid(instant);
  return `${what} ${when}, not after its Secret was changed (${timeSaid(since)}): restart it`;
}
