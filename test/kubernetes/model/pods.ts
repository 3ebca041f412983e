import type { KubeObject, KubeResource } from "../../../src/kubernetes/api.ts";
import { hashLabel, type Revision } from "./workload-status.ts";

interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state: { running?: { startedAt: string }; waiting?: { reason: string }; terminated?: object };
}

export interface Pod extends KubeObject {
  spec: { nodeName?: string; containers: { name: string }[] };
  status: {
    phase: string;
    podIP?: string;
    podIPs?: { ip: string }[];
    startTime?: string;
    conditions?: { type: string; status: string; lastTransitionTime: string }[];
    containerStatuses?: ContainerStatus[];
  };
}

/** A pod as the kubelet runs it. */
export function podOf(
  resource: KubeResource,
  revision: Revision,
  options: { name: string; startedAt: string; ready: boolean; ip: string },
): Pod {
  const { name, startedAt, ready, ip } = options;
  const { template, owner } = revision;
  const own: Record<string, string> =
    resource.kind === "StatefulSet"
      ? { "controller-revision-hash": revision.name, "statefulset.kubernetes.io/pod-name": name }
      : { [hashLabel(resource)]: revision.hash };
  const containers = template.spec.containers as { name: string }[];
  const pod: Pod = {
    metadata: {
      name,
      labels: { ...template.metadata.labels, ...own },
      ...(template.metadata.annotations && { annotations: template.metadata.annotations }),
      ownerReferences: [
        {
          apiVersion: owner.apiVersion ?? "",
          kind: owner.kind ?? "",
          name: owner.metadata.name,
          uid: owner.metadata.uid ?? "",
          controller: true,
        },
      ],
    },
    spec: { ...template.spec, containers, nodeName: "node-1" },
    status: {
      phase: "Running",
      podIP: ip,
      podIPs: [{ ip }],
      startTime: startedAt,
      containerStatuses: containers.map((container) => ({
        name: container.name,
        ready,
        restartCount: 0,
        state: { running: { startedAt } },
      })),
    },
  };
  Object.assign(pod.status, readiness(pod, ready, startedAt));
  return pod;
}

/** Of a pod's status, what says whether it is ready. */
export function readiness(pod: Pod, ready: boolean, now: string) {
  return {
    conditions: ["Ready", "ContainersReady"].map((type) => ({
      type,
      status: ready ? "True" : "False",
      lastTransitionTime: now,
    })),
    containerStatuses: (pod.status.containerStatuses ?? []).map((one) => ({ ...one, ready })),
  };
}

export function isReady(pod: Pod): boolean {
  return pod.status.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
