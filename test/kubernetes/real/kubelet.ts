import { type KubeObject, PODS } from "../../../src/kubernetes/api.ts";
import { pathOf } from "../../../src/kubernetes/call.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { admin, must, sendAsAdmin } from "./cluster.ts";

export interface Pod extends KubeObject {
  spec: { nodeName?: string; containers: { name: string; image: string }[] };
  status: { phase?: string; podIP?: string; conditions?: { type: string; status: string }[] };
}

/** What becomes of pods; what is left out goes well. */
export interface NodeHooks {
  /** Its processes start; gives its address. Called once a pod. */
  start?(pod: Pod): Promise<string>;
  /** Why a pod cannot start, if it cannot. */
  stuck?(pod: Pod): string | undefined;
  ready?(pod: Pod): boolean;
  /** It was asked to end, and does not yet. */
  lingers?(pod: Pod): boolean;
  end?(pod: Pod): Promise<void>;
}

const NODE = "node-1";

/**
 * Plays scheduler and kubelet for one namespace: binds its pods to a node, starts them, tells the API
 * server how they are, and removes those that were asked to end. Hooks may be changed as it goes.
 */
export async function startKubelet(namespace: string, hooks: NodeHooks = {}): Promise<AsyncDisposable> {
  await haveNode();
  const stopped = new AbortController();
  const started = new Map<string, { ip: string; at: string }>();
  let addresses = 0;
  let fault: unknown;

  const statusOf = async (pod: Pod) => {
    const uid = pod.metadata.uid ?? "";
    const now = second();
    const { containers } = pod.spec;
    const reason = hooks.stuck?.(pod);
    const state = async () => {
      if (reason !== undefined) return { waiting: { reason } };
      const ip = async () => (await hooks.start?.(pod)) ?? `10.1.0.${(addresses++ % 250) + 1}`;
      if (!started.has(uid)) started.set(uid, { ip: await ip(), at: now });
      return { running: { startedAt: started.get(uid)?.at } };
    };
    const shown = await state();
    const ready = reason === undefined && (hooks.ready?.(pod) ?? true);
    const podIP = started.get(uid)?.ip;
    return {
      phase: reason === undefined ? "Running" : "Pending",
      ...(podIP && { podIP, podIPs: [{ ip: podIP }] }),
      startTime: started.get(uid)?.at ?? now,
      conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => {
        const holds = type === "PodScheduled" || type === "Initialized" || ready;
        return { type, status: holds ? "True" : "False", lastTransitionTime: started.get(uid)?.at ?? now };
      }),
      containerStatuses: containers.map(({ name, image }) => {
        const idle = { image, imageID: "", restartCount: 0 };
        return { name, ...idle, ready, started: reason === undefined, state: shown };
      }),
    };
  };

  const tend = async (pod: Pod) => {
    const { name, uid, deletionTimestamp } = pod.metadata;
    const path = pathOf(PODS, namespace, name);
    if (deletionTimestamp) {
      if (hooks.lingers?.(pod)) return;
      if (uid && started.delete(uid)) await hooks.end?.(pod);
      const body = { apiVersion: "v1", kind: "DeleteOptions", gracePeriodSeconds: 0, preconditions: { uid } };
      await sendAsAdmin({ method: "DELETE", path, body });
      return;
    }
    if (!pod.spec.nodeName) {
      const target = { apiVersion: "v1", kind: "Node", name: NODE };
      const body = { apiVersion: "v1", kind: "Binding", metadata: { name }, target };
      await sendAsAdmin({ method: "POST", path: `${path}/binding`, body });
      return;
    }
    const status = await statusOf(pod);
    if (isSaid(pod, status)) return;
    // By its uid: a StatefulSet gives names again.
    await sendAsAdmin({ method: "PATCH", path: `${path}/status`, body: { metadata: { uid }, status } });
  };

  const run = async () => {
    while (!stopped.signal.aborted) {
      const { items } = await admin.list<Pod>(PODS, namespace);
      await Promise.all(items.map(tend));
      await systemClock.sleep(100, stopped.signal);
    }
  };
  const running = run().catch((thrown: unknown) => {
    fault = thrown;
  });
  return {
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await running;
      if (fault !== undefined) throw fault;
    },
  };
}

/** Whether the API server knows it all already. */
function isSaid({ status }: Pod, wanted: object): boolean {
  return Object.entries(wanted).every(
    ([field, value]) => field in status && covers((status as Record<string, unknown>)[field], value),
  );
}

/** Whether `found` has everything that `wanted` has; the server adds defaults. */
function covers(found: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return found === wanted;
  if (typeof found !== "object" || found === null) return false;
  if (Array.isArray(wanted) && (found as unknown[]).length !== wanted.length) return false;
  return Object.entries(wanted).every(([name, inner]) =>
    covers((found as Record<string, unknown>)[name], inner),
  );
}

function second(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

/** A node for DaemonSets, without the mark of one that has not said yet that it is ready. */
async function haveNode(): Promise<void> {
  const path = "/api/v1/nodes";
  const body = { apiVersion: "v1", kind: "Node", metadata: { name: NODE } };
  const { status } = await sendAsAdmin({ method: "POST", path, body });
  if (status !== 201 && status !== 409) throw new Error(`cannot make a node: ${status}`);
  await must({ method: "PATCH", path: `${path}/${NODE}`, body: { spec: { taints: null } } });
  const ready = { status: { conditions: [{ type: "Ready", status: "True" }] } };
  await must({ method: "PATCH", path: `${path}/${NODE}/status`, body: ready });
}
