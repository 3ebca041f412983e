import type { KubeObject } from "../../kubernetes/api.ts";
import { redactQuoted } from "../../lib/redact.ts";
import { countAt, listAt, textAt } from "./fields.ts";
import type { WorkloadKind, WorkloadRef } from "./workload.ts";

/**
 * How far a rollout is, by the workload's own status. `complete`: every pod wanted is of the newest
 * template and available, and no other is left. `zero`: none is wanted. `unwell`: it has stopped, or
 * has too few pods without one being under way.
 */
export interface Progress {
  state: "complete" | "zero" | "under-way" | "unwell";
  says: string;
}

interface Figures {
  wanted: number;
  updated: number;
  available: number;
  /** Pods of an earlier template, as far as the status tells. */
  older: number;
  /** Whether the controller itself calls it done. */
  settled: boolean;
}

/** Judges a workload's status; see {@link Progress}. */
export function progressOf({ kind }: WorkloadRef, workload: KubeObject): Progress {
  const generation = countAt(workload, "metadata", "generation");
  const observed = countAt(workload, "status", "observedGeneration");
  if (generation === undefined || observed === undefined || observed < generation)
    return { state: "under-way", says: "was changed, and its controller has not taken that up yet" };
  const stopped = failedCondition(workload);
  if (stopped !== undefined) return { state: "unwell", says: stopped };
  const { wanted, updated, available, older, settled } = FIGURES[kind](workload);
  if (wanted === 0 && updated === 0 && older === 0)
    return {
      state: "zero",
      says: kind === "daemonset" ? "no node is to run it" : "scaled to zero on purpose",
    };
  const says = `${updated} of ${wanted} pods are new, ${available} available${older > 0 ? `, ${older} older` : ""}`;
  if (available === 0 && wanted > 0) return { state: "unwell", says };
  if (updated < wanted || older > 0) return { state: "under-way", says };
  if (available < wanted) return { state: "unwell", says };
  return { state: settled ? "complete" : "under-way", says };
}

const FIGURES: Record<WorkloadKind, (workload: KubeObject) => Figures> = {
  deployment: (workload) => ({ ...replicaFigures(workload), settled: true }),
  statefulset: (workload) => {
    const revision = textAt(workload, "status", "updateRevision");
    const settled = revision !== undefined && revision === textAt(workload, "status", "currentRevision");
    return { ...replicaFigures(workload), settled };
  },
  daemonset: (workload) => {
    const updated = countAt(workload, "status", "updatedNumberScheduled") ?? 0;
    const scheduled = countAt(workload, "status", "currentNumberScheduled") ?? 0;
    return {
      wanted: countAt(workload, "status", "desiredNumberScheduled") ?? 0,
      updated,
      available: countAt(workload, "status", "numberAvailable") ?? 0,
      older: Math.max(0, scheduled - updated),
      settled: true,
    };
  },
};

/** Of a workload that says how many replicas it wants. */
function replicaFigures(workload: KubeObject): Omit<Figures, "settled"> {
  const updated = countAt(workload, "status", "updatedReplicas") ?? 0;
  const all = countAt(workload, "status", "replicas") ?? 0;
  return {
    wanted: countAt(workload, "spec", "replicas") ?? 1,
    updated,
    available: Math.min(
      countAt(workload, "status", "availableReplicas") ?? 0,
      countAt(workload, "status", "readyReplicas") ?? 0,
    ),
    older: Math.max(0, all - updated),
  };
}

/** A rollout that its Deployment has given up, in the cluster's own words. */
function failedCondition(workload: KubeObject): string | undefined {
  for (const condition of listAt(workload, "status", "conditions")) {
    const type = textAt(condition, "type");
    const status = textAt(condition, "status");
    const failed =
      (type === "Progressing" && status === "False") || (type === "ReplicaFailure" && status === "True");
    if (!failed) continue;
    const reason = textAt(condition, "reason") ?? type;
    const message = textAt(condition, "message");
    return redactQuoted(message === undefined ? `${reason}` : `${reason}: ${message}`);
  }
  return undefined;
}
