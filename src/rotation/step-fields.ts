import type { PolicySnapshot, TargetDocument } from "../journal/document.ts";
import type { Step } from "./step.ts";

/** What the log line of a step says beside its sentence: the key and its rotation, or the target where it is of no rotation. */
export function stepFields(
  step: Step,
  ground: { target: string; policies: Readonly<Record<string, PolicySnapshot>>; document: TargetDocument },
): Record<string, string> {
  const { target, document } = ground;
  const { rotation } = document;
  const { reason } = step;
  const field = "field" in step ? step.field : undefined;
  if (rotation !== undefined && (field === undefined || field === rotation.field))
    return { key: rotation.policy.key.name, rotation: rotation.id, phase: rotation.phase, reason };
  const key = nameOf(field, ground);
  return { ...(key === undefined ? {} : { key }), target, reason };
}

function nameOf(
  field: string | undefined,
  { policies, document }: { policies: Readonly<Record<string, PolicySnapshot>>; document: TargetDocument },
): string | undefined {
  if (field !== undefined) return policies[field]?.key.name ?? document.keys[field]?.name;
  const [only, ...more] = Object.values(policies);
  return more.length === 0 ? only?.key.name : undefined;
}
