import { createHash } from "node:crypto";
import type { KubeObject, KubeResource } from "../../../src/kubernetes/api.ts";
import { canonical, type Json } from "./json.ts";
import { isReady, type Pod } from "./pods.ts";

interface Template {
  metadata: { labels?: Record<string, string>; annotations?: Record<string, string> };
  spec: Json;
}

/** A Deployment, StatefulSet or DaemonSet. */
export interface Workload extends KubeObject {
  spec: { replicas?: number; paused?: boolean; selector: Json; template: Template; [field: string]: unknown };
  status?: Json;
}

/** A ReplicaSet, or a ControllerRevision of the others. */
export interface Revision {
  object: KubeObject & { revision?: number };
  name: string;
  /** Of the object that owns its pods. */
  uid: string;
  hash: string;
  number: number;
  template: Template;
  /** Owns its pods. */
  owner: KubeObject;
}

const LABELS = ["pod-template-hash", "controller.kubernetes.io/hash", "controller-revision-hash"];

/** What a revision is labelled with; its pods bear the last one in place of a StatefulSet's. */
export function hashLabel(resource: KubeResource): string {
  if (resource.kind === "Deployment") return "pod-template-hash";
  return resource.kind === "StatefulSet" ? "controller.kubernetes.io/hash" : "controller-revision-hash";
}

/** Of a workload by its template; of its revisions and pods by their label. */
export function hashOf(resource: KubeResource, object: KubeObject): string {
  const label = LABELS.map((name) => object.metadata.labels?.[name]).find((value) => value !== undefined);
  if (label !== undefined) return resource.kind === "StatefulSet" ? (label.split("-").at(-1) ?? "") : label;
  const { template } = (object as Workload).spec;
  return createHash("sha256").update(canonical(template)).digest("hex").slice(0, 10);
}

/** What the controller writes into a status; zeros that Go leaves out are left out. */
export function statusOf(
  resource: KubeResource,
  workload: Workload,
  seen: {
    pods: readonly Pod[];
    revision: Revision | undefined;
    older: Revision | undefined;
    nodes: number;
    now: string;
  },
): Json {
  const { pods, revision, older, nodes, now } = seen;
  // Terminating pods count nowhere.
  const live = pods.filter(({ metadata }) => !metadata.deletionTimestamp);
  const updated = live.filter((pod) => hashOf(resource, pod) === revision?.hash);
  const ready = live.filter(isReady).length;
  const observedGeneration = workload.metadata.generation;
  if (resource.kind === "DaemonSet") {
    return {
      observedGeneration,
      currentNumberScheduled: live.length,
      desiredNumberScheduled: nodes,
      numberMisscheduled: 0,
      numberReady: ready,
      ...counted({
        updatedNumberScheduled: updated.length,
        numberAvailable: ready,
        numberUnavailable: nodes - ready,
      }),
    };
  }
  const wanted = workload.spec.replicas ?? 1;
  const done = updated.length === wanted && live.length === wanted && ready === wanted;
  if (resource.kind === "StatefulSet") {
    const update = revision?.name ?? "";
    const current = done ? update : (older?.name ?? update);
    return {
      observedGeneration,
      replicas: live.length,
      availableReplicas: ready,
      ...counted({
        readyReplicas: ready,
        updatedReplicas: updated.length,
        currentReplicas: current === update ? updated.length : live.length - updated.length,
      }),
      currentRevision: current,
      updateRevision: update,
      collisionCount: 0,
    };
  }
  const old = (workload.status?.conditions ?? []) as Condition[];
  return {
    observedGeneration,
    ...counted({
      replicas: live.length,
      updatedReplicas: updated.length,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: Math.max(0, wanted - ready),
    }),
    conditions: [
      condition(
        old,
        now,
        "Available",
        ready >= Math.ceil(wanted * 0.75) ? "True" : "False",
        "MinimumReplicasAvailable",
      ),
      workload.spec.paused
        ? condition(old, now, "Progressing", "Unknown", "DeploymentPaused")
        : condition(old, now, "Progressing", "True", done ? "NewReplicaSetAvailable" : "ReplicaSetUpdated"),
    ],
  };
}

interface Condition {
  type: string;
  status: string;
  reason: string;
  lastTransitionTime: string;
}

/** Its time is that of its last change. */
function condition(old: Condition[], now: string, type: string, status: string, reason: string): Condition {
  const before = old.find((one) => one.type === type);
  const since = before?.status === status ? before.lastTransitionTime : now;
  return { type, status, reason, lastTransitionTime: since };
}

function counted(counts: Record<string, number>): Json {
  return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
}
