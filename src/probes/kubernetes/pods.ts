import type { KubeObject } from "../../kubernetes/api.ts";
import { redactQuoted } from "../../lib/redact.ts";
import { at, listAt, secondAt, textAt } from "./fields.ts";
import type { WorkloadRef } from "./workload.ts";

/** Whether a pod may still run: terminating, unready and pending ones may; one that has finished may not. */
export function isLive(pod: KubeObject): boolean {
  const phase = textAt(pod, "status", "phase");
  return phase !== "Succeeded" && phase !== "Failed";
}

export function isTerminating(pod: KubeObject): boolean {
  return at(pod, "metadata", "deletionTimestamp") !== undefined;
}

/** A pod's identity, for people too: its name, which a StatefulSet gives again, and the start of its uid. */
export function podIdentity({ metadata }: KubeObject): string {
  const uid = textAt(metadata, "uid");
  return uid === undefined ? metadata.name : `${metadata.name} (${uid.slice(0, 8)})`;
}

/**
 * Whether a pod that the workload's selector matches counts as the workload's: all do but those that
 * another controller has. The ReplicaSets of a Deployment bear its name and the template's hash.
 */
export function isOf({ kind, resource, name }: WorkloadRef, pod: KubeObject): boolean {
  const owner = listAt(pod, "metadata", "ownerReferences").find((one) => at(one, "controller") === true);
  if (owner === undefined) return true;
  if (kind === "deployment") {
    const hash = textAt(pod, "metadata", "labels", "pod-template-hash");
    return textAt(owner, "kind") === "ReplicaSet" && textAt(owner, "name") === `${name}-${hash}`;
  }
  return textAt(owner, "kind") === resource.kind && textAt(owner, "name") === name;
}

/** What keeps a pod from running, in a word: `ImagePullBackOff`, `Unschedulable`; undefined when nothing does. */
export function troubleOf(pod: KubeObject): string | undefined {
  const trouble = rawTrouble(pod);
  return trouble && redactQuoted(trouble);
}

function rawTrouble(pod: KubeObject): string | undefined {
  if (isTerminating(pod)) return undefined;
  const waiting = containersOf(pod).map((container) => textAt(container, "state", "waiting", "reason"));
  const stuck = waiting.find((reason) => reason !== undefined && !BEGINNING.includes(reason));
  if (stuck !== undefined) return stuck;
  const conditions = listAt(pod, "status", "conditions");
  const unscheduled = conditions.find(
    (one) => textAt(one, "type") === "PodScheduled" && textAt(one, "status") === "False",
  );
  return unscheduled === undefined ? undefined : (textAt(unscheduled, "reason") ?? "not scheduled");
}

/** Reasons to wait that pass by themselves. */
const BEGINNING = ["ContainerCreating", "PodInitializing"];

/** When the earliest container that runs now was started, to the second, by the clock of its node; undefined when none runs. */
export function startedAt(pod: KubeObject): number | undefined {
  const starts = containersOf(pod)
    .map((container) => secondAt(container, "state", "running", "startedAt"))
    .filter((start) => start !== undefined);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** Sidecars and debug containers too: whatever runs in the pod may have the key. */
function containersOf(pod: KubeObject): unknown[] {
  return ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"].flatMap((part) =>
    listAt(pod, "status", part),
  );
}
