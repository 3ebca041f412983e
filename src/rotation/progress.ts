import type { KeyRecord, Phase, RotationRecord } from "../journal/document.ts";
import { requiredConsumers } from "./evidence.ts";
import type { ConsumerProgress, Progress } from "./report.ts";
import type { Evidence, Question } from "./world.ts";

/** How far the consumers of a question are, for the live list and the log. */
export function consumerProgress(
  question: Question,
  evidence: Evidence | undefined,
  waived: readonly string[],
): ConsumerProgress[] {
  return requiredConsumers(question.policy).map((consumer) => {
    const seen = evidence?.consumers[consumer];
    const needed = question.policy.confirm.successThreshold;
    const streak = Math.min(seen?.streak ?? 0, needed);
    return {
      consumer,
      streak,
      needed,
      confirmed: streak >= needed,
      waived: waived.includes(consumer),
      instances: (seen?.last.instances ?? []).map(({ instance, verdict, detail }) => ({
        instance,
        verdict,
        detail,
      })),
      ...(seen?.last.problem === undefined ? {} : { problem: seen.last.problem }),
    };
  });
}

/** What a change of the open rotation tells a watcher. */
export function rotationProgress(
  before: RotationRecord | undefined,
  after: RotationRecord | undefined,
  message: string,
): Progress | undefined {
  if (after === undefined) return undefined;
  const { id: rotation, phase } = after;
  const key = after.policy.key.name;
  if (after.hold && (before?.id !== after.id || before.hold === undefined))
    return { type: "held", key, rotation, reason: after.hold.reason, message: after.hold.message };
  if (before?.id !== after.id) return { type: "phase", key, rotation, phase, message };
  if (before.phase !== phase)
    return { type: "phase", key, rotation, phase, message, left: leftPhase(before, after.phaseAt) };
  return undefined;
}

/** What the end of a rotation tells a watcher. */
export function endProgress(
  ended: RotationRecord,
  last: NonNullable<KeyRecord["last"]>,
  message: string,
): Progress {
  return {
    type: "phase",
    key: ended.policy.key.name,
    rotation: ended.id,
    phase: last.outcome,
    message: last.message ?? message,
    left: leftPhase(ended, last.at),
    tookMs: Math.max(0, last.at - last.startedAt),
  };
}

/** A clock that was set back makes no phase shorter than nothing. */
function leftPhase({ phase, phaseAt }: RotationRecord, at: number): { phase: Phase; ms: number } {
  return { phase, ms: Math.max(0, at - phaseAt) };
}
