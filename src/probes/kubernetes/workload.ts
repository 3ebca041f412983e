import {
  DAEMON_SETS,
  DEPLOYMENTS,
  type KubeObject,
  type KubeResource,
  STATEFUL_SETS,
} from "../../kubernetes/api.ts";
import { at, countAt, listAt, textAt, textsAt } from "./fields.ts";

export type WorkloadKind = "deployment" | "statefulset" | "daemonset";

export interface WorkloadRef {
  kind: WorkloadKind;
  resource: KubeResource;
  name: string;
  /** As the policy writes it: `deployment/payments`. */
  said: string;
}

const RESOURCES: Record<WorkloadKind, KubeResource> = {
  deployment: DEPLOYMENTS,
  statefulset: STATEFUL_SETS,
  daemonset: DAEMON_SETS,
};

/** A workload as the policy writes it, `deployment/payments`; the schema has checked its form. */
export function workloadRef(said: string): WorkloadRef {
  const slash = said.indexOf("/");
  const kind = said.slice(0, slash) as WorkloadKind;
  return { kind, resource: RESOURCES[kind], name: said.slice(slash + 1), said };
}

/** Why a changed pod template would not replace every pod, and what to do about it; undefined when it would. */
export function unrestartable(
  { kind, name, said }: WorkloadRef,
  workload: KubeObject,
): { why: string; hint: string } | undefined {
  if (at(workload, "metadata", "deletionTimestamp") !== undefined)
    return { why: "is being deleted", hint: `wait until ${said} is there again, or correct the policy` };
  if (kind === "deployment")
    return at(workload, "spec", "paused") === true
      ? { why: "is paused", hint: `kubectl rollout resume ${said}` }
      : undefined;
  if (textAt(workload, "spec", "updateStrategy", "type") === "OnDelete")
    return {
      why: "has the update strategy OnDelete: its pods stay until somebody deletes them",
      hint: `set spec.updateStrategy.type of ${said} to RollingUpdate`,
    };
  const partition = countAt(workload, "spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
  if (kind === "statefulset" && partition > 0)
    return {
      why: `has a partition: its pods below ${name}-${partition} would stay as they are`,
      hint: `set spec.updateStrategy.rollingUpdate.partition of ${said} to 0`,
    };
  return undefined;
}

/** The selector of the workload's pods as a list takes it; undefined when there is none that can be read. */
export function podSelector(workload: KubeObject): string | undefined {
  const terms = textsAt(workload, "spec", "selector", "matchLabels").map(([key, value]) => `${key}=${value}`);
  for (const expression of listAt(workload, "spec", "selector", "matchExpressions")) {
    const key = textAt(expression, "key");
    const values = listAt(expression, "values").filter((value) => typeof value === "string");
    const operator = textAt(expression, "operator");
    if (key === undefined) return undefined;
    if (operator === "In") terms.push(`${key} in (${values.join(",")})`);
    else if (operator === "NotIn") terms.push(`${key} notin (${values.join(",")})`);
    else if (operator === "Exists") terms.push(key);
    else if (operator === "DoesNotExist") terms.push(`!${key}`);
    else return undefined;
  }
  return terms.length === 0 ? undefined : terms.join(",");
}
