import {
  CONTROLLER_REVISIONS,
  DEPLOYMENTS,
  type KubeObject,
  type KubeResource,
  PODS,
  REPLICA_SETS,
} from "../../../src/kubernetes/api.ts";
import { at } from "./json.ts";
import { apiVersionOf } from "./kinds.ts";
import type { KubeModel } from "./kube-model.ts";
import { type Pod, podOf, readiness } from "./pods.ts";
import { hashLabel, hashOf, type Revision, statusOf, type Workload } from "./workload-status.ts";

export type { Pod } from "./pods.ts";
export type { Workload } from "./workload-status.ts";

const CONTROLLER = "kube-controller-manager";
const KUBELET = "kubelet";

/**
 * Plays the controllers and the kubelet of one namespace on Deployments, StatefulSets and
 * DaemonSets: every step when it is called and none by itself. A DaemonSet runs on as many nodes
 * as `nodes` says.
 */
export class Workloads {
  readonly model: KubeModel;
  readonly namespace: string;
  nodes = 2;
  #pods = 0;

  constructor(model: KubeModel, namespace = "shop") {
    this.model = model;
    this.namespace = namespace;
  }

  /** As kubectl does; its pods read `secret`, if one is named, into their environment. */
  create(
    resource: KubeResource,
    name: string,
    options: { replicas?: number; secret?: string; labels?: Record<string, string> } = {},
  ): Workload {
    const { replicas = 2, secret, labels = { app: name } } = options;
    const container = {
      name: "main",
      image: `${name}:1`,
      ...(secret && { envFrom: [{ secretRef: { name: secret } }] }),
    };
    const spec = {
      ...(resource.kind === "DaemonSet" ? {} : { replicas }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    };
    return this.model.put(resource, this.namespace, { metadata: { name }, spec } as Workload);
  }

  get(resource: KubeResource, name: string): Workload {
    const found = this.model.find<Workload>(resource, this.namespace, name);
    if (!found) throw new Error(`there is no ${resource.kind} ${name}`);
    return found;
  }

  /** The controller takes note of the spec: makes the revision of the present template unless it is paused, and writes the status. */
  observe(resource: KubeResource, name: string): Workload {
    const workload = this.get(resource, name);
    if (!workload.spec.paused) this.#makeRevision(resource, workload);
    const seen = this.get(resource, name);
    const current = this.#current(resource, seen);
    if (resource === DEPLOYMENTS) this.#scale(seen, current);
    const status = statusOf(resource, seen, {
      pods: this.pods(resource, name),
      revision: current,
      older: this.#revisions(resource, seen).find(({ name: other }) => other !== current?.name),
      nodes: this.nodes,
      now: this.#now(),
    });
    const number = current?.number;
    return this.model.edit<Workload>(
      resource,
      this.namespace,
      name,
      (object) => {
        object.status = status;
        if (resource.kind !== "Deployment" || number === undefined) return;
        object.metadata.annotations = {
          ...object.metadata.annotations,
          "deployment.kubernetes.io/revision": String(number),
        };
      },
      { manager: CONTROLLER, subresource: "status" },
    );
  }

  /** A pod of the newest revision, started and ready unless told otherwise. */
  start(
    resource: KubeResource,
    name: string,
    options: { ready?: boolean; ip?: string; startedAt?: string; revision?: string } = {},
  ): Pod {
    const workload = this.get(resource, name);
    const revisions = this.#revisions(resource, workload);
    const revision = options.revision
      ? revisions.find((one) => one.name === options.revision)
      : (this.#current(resource, workload) ?? revisions[0]);
    if (!revision) throw new Error(`${resource.kind} ${name} has no revision: observe it first`);
    const count = ++this.#pods;
    const { ready = true, ip = `10.1.${count >> 8}.${count & 255}`, startedAt = this.#now() } = options;
    const { status, ...pod } = podOf(resource, revision, {
      name: this.#podName(resource, name, revision, count),
      startedAt,
      ready,
      ip,
    });
    const made = this.model.put(PODS, this.namespace, pod as Pod, CONTROLLER);
    return this.#status(made, (object) => {
      object.status = status;
    });
  }

  /** Every pod of a workload, terminating ones included. */
  pods(resource: KubeResource, name: string): Pod[] {
    const workload = this.get(resource, name);
    const owners = new Set([
      workload.metadata.uid,
      ...this.#revisions(resource, workload).map(({ uid }) => uid),
    ]);
    return this.model
      .all<Pod>(PODS, this.namespace)
      .filter((pod) => pod.metadata.ownerReferences?.some(({ uid }) => owners.has(uid)));
  }

  /** The pod answers its readiness probe, or no more. */
  ready(pod: Pod, ready = true): Pod {
    return this.#status(pod, (object) => {
      Object.assign(object.status, readiness(object, ready, this.#now()));
    });
  }

  /** Its containers start anew in the same pod, and read their environment again. */
  restartContainers(pod: Pod): Pod {
    return this.#status(pod, (object) => {
      for (const container of object.status.containerStatuses ?? []) {
        container.restartCount++;
        container.state = { running: { startedAt: this.#now() } };
      }
    });
  }

  /** Its containers crash again and again. */
  crash(pod: Pod): Pod {
    const crashed = this.ready(pod, false);
    return this.#status(crashed, (object) => {
      for (const container of object.status.containerStatuses ?? []) {
        container.restartCount++;
        container.state = { waiting: { reason: "CrashLoopBackOff" } };
      }
    });
  }

  /** It is told to end, and goes on until it is finished. */
  terminate(pod: Pod): void {
    this.model.remove(PODS, this.namespace, pod.metadata.name);
  }

  finish(pod: KubeObject): void {
    this.model.finish(pod);
  }

  /**
   * One step towards what the spec asks for: a new pod, an old one told to end, one that has ended,
   * the status. False when nothing is left to do. New pods come before old ones go, but for a
   * StatefulSet and a DaemonSet.
   */
  advance(resource: KubeResource, name: string): boolean {
    const before = this.get(resource, name).metadata.resourceVersion;
    const workload = this.observe(resource, name);
    if (workload.metadata.resourceVersion !== before) return true;
    const pods = this.pods(resource, name);
    const ending = pods.find(({ metadata }) => metadata.deletionTimestamp);
    if (ending) {
      this.finish(ending);
      return true;
    }
    const current = this.#current(resource, workload);
    const wanted = resource.kind === "DaemonSet" ? this.nodes : (workload.spec.replicas ?? 1);
    const isNew = (pod: Pod) => hashOf(resource, pod) === current?.hash || workload.spec.paused;
    const old = pods.find((pod) => !isNew(pod));
    const fresh = pods.filter(isNew);
    const surplus = old ?? (fresh.length > wanted ? fresh.at(-1) : undefined);
    const room = resource.kind === "Deployment" ? fresh.length < wanted : pods.length < wanted;
    if (room) this.start(resource, name);
    else if (surplus) this.terminate(surplus);
    return room || surplus !== undefined;
  }

  /** The rollout to its end. */
  settle(resource: KubeResource, name: string): Workload {
    for (let steps = 0; this.advance(resource, name); steps++) {
      if (steps > 10_000) throw new Error(`${resource.kind} ${name} never settles`);
    }
    return this.get(resource, name);
  }

  #makeRevision(resource: KubeResource, workload: Workload): void {
    const revisions = this.#revisions(resource, workload);
    const hash = hashOf(resource, workload);
    const found = revisions.find((one) => one.hash === hash);
    const number = Math.max(0, ...revisions.map((one) => one.number)) + 1;
    if (found && found.number === number - 1) return;
    const { name, uid = "" } = workload.metadata;
    const kind = resource === DEPLOYMENTS ? REPLICA_SETS : CONTROLLER_REVISIONS;
    const revisionName = `${name}-${hash}`;
    if (found) {
      // Back to an earlier template: its revision becomes the newest again.
      this.model.edit<Revision["object"]>(
        kind,
        this.namespace,
        revisionName,
        (object) => {
          if (resource !== DEPLOYMENTS) object.revision = number;
          else
            object.metadata.annotations = {
              ...object.metadata.annotations,
              "deployment.kubernetes.io/revision": String(number),
            };
        },
        { manager: CONTROLLER },
      );
      return;
    }
    const labels = { ...workload.spec.template.metadata.labels, [hashLabel(resource)]: hash };
    const { template: plain } = workload.spec;
    const template = resource === DEPLOYMENTS ? { ...plain, metadata: { ...plain.metadata, labels } } : plain;
    const metadata = {
      name: revisionName,
      labels,
      ...(resource === DEPLOYMENTS && {
        annotations: { "deployment.kubernetes.io/revision": String(number) },
      }),
      ownerReferences: [
        { apiVersion: apiVersionOf(resource), kind: resource.kind, name, uid, controller: true },
      ],
    };
    const body =
      resource === DEPLOYMENTS
        ? { metadata, spec: { replicas: 0, selector: { matchLabels: labels }, template } }
        : { metadata, revision: number, data: { spec: { template } } };
    this.model.put(kind, this.namespace, body as KubeObject, CONTROLLER);
  }

  /** Each ReplicaSet says how many pods it keeps. */
  #scale(workload: Workload, current: Revision | undefined): void {
    for (const { name, hash } of this.#revisions(DEPLOYMENTS, workload)) {
      const live = this.pods(DEPLOYMENTS, workload.metadata.name).filter(
        (pod) => hashOf(DEPLOYMENTS, pod) === hash && !pod.metadata.deletionTimestamp,
      );
      const manager = CONTROLLER;
      this.model.edit<Workload>(
        REPLICA_SETS,
        this.namespace,
        name,
        (object) => {
          object.spec.replicas = hash === current?.hash ? (workload.spec.replicas ?? 1) : live.length;
        },
        { manager },
      );
      const status = { replicas: live.length };
      this.model.edit<Workload>(
        REPLICA_SETS,
        this.namespace,
        name,
        (object) => {
          object.status = status;
        },
        { manager, subresource: "status" },
      );
    }
  }

  /** Newest first. */
  #revisions(resource: KubeResource, workload: Workload): Revision[] {
    const kind = resource === DEPLOYMENTS ? REPLICA_SETS : CONTROLLER_REVISIONS;
    return this.model
      .all<Revision["object"]>(kind, this.namespace)
      .filter((one) => one.metadata.ownerReferences?.some(({ uid }) => uid === workload.metadata.uid))
      .map((object): Revision => {
        const annotated = object.metadata.annotations?.["deployment.kubernetes.io/revision"];
        return {
          object,
          name: object.metadata.name,
          uid: resource === DEPLOYMENTS ? (object.metadata.uid ?? "") : (workload.metadata.uid ?? ""),
          hash: hashOf(resource, object),
          number: Number(annotated ?? object.revision ?? 0),
          template: (at(object, "spec", "template") ??
            at(object, "data", "spec", "template")) as Revision["template"],
          owner: resource === DEPLOYMENTS ? object : workload,
        };
      })
      .sort((a, b) => b.number - a.number);
  }

  #current(resource: KubeResource, workload: Workload): Revision | undefined {
    const hash = hashOf(resource, workload);
    return this.#revisions(resource, workload).find((one) => one.hash === hash);
  }

  #podName(resource: KubeResource, name: string, revision: Revision, count: number): string {
    if (resource.kind !== "StatefulSet") {
      const unique = count.toString(36).padStart(5, "x");
      return `${resource.kind === "Deployment" ? revision.name : name}-${unique}`;
    }
    const taken = this.pods(resource, name).map(({ metadata }) => metadata.name);
    for (let ordinal = 0; ; ordinal++) if (!taken.includes(`${name}-${ordinal}`)) return `${name}-${ordinal}`;
  }

  #status(pod: Pod, change: (pod: Pod) => void): Pod {
    const options = { manager: KUBELET, subresource: "status" as const };
    return this.model.edit<Pod>(PODS, this.namespace, pod.metadata.name, change, options);
  }

  #now(): string {
    const now = new Date(this.model.clock.now() + this.model.clockError);
    return now.toISOString().replace(/\.\d+Z$/, "Z");
  }
}
