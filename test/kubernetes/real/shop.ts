import {
  DAEMON_SETS,
  DEPLOYMENTS,
  type KubeObject,
  type KubeResource,
  PODS,
  SECRETS,
  STATEFUL_SETS,
} from "../../../src/kubernetes/api.ts";
import type { KeyPolicy, StorePolicy } from "../../../src/policy/schema.ts";
import { createProbe } from "../../../src/probes/create-probe.ts";
import { progressOf } from "../../../src/probes/kubernetes/progress.ts";
import { workloadRef } from "../../../src/probes/kubernetes/workload.ts";
import type { Expected, Sweep } from "../../../src/probes/probe.ts";
import { createReload } from "../../../src/probes/reload.ts";
import { consumer, expected, realParts } from "../../probes/support.ts";
import { base64 } from "../../stores/kubernetes-bench.ts";
import { admin, newNamespace, until } from "./cluster.ts";
import { type NodeHooks, type Pod, startKubelet } from "./kubelet.ts";

export const NEW = "sk-or-v1-new";
export const OLD = "sk-or-v1-old";
export const ENTRY = "OPENROUTER_API_KEY";
export const SECRET = "payments-openrouter";
export const asked: Expected = { ...expected, rotation: "r1" };

export const RESOURCES: Readonly<Record<string, KubeResource>> = {
  deployment: DEPLOYMENTS,
  statefulset: STATEFUL_SETS,
  daemonset: DAEMON_SETS,
};

export interface Workload extends KubeObject {
  spec: { replicas?: number; template: { metadata: { annotations?: Record<string, string> } } };
}

/**
 * A namespace of a real cluster, with a node that is played and a Secret that holds the old key. The
 * workload `payments` reads it at its start.
 */
export async function openShop(hooks: NodeHooks = {}) {
  const namespace = await newNamespace();
  const kubelet = await startKubelet(namespace, hooks);
  const home = {
    key: { name: "payments-api", store: { use: "cluster", secret: SECRET, field: ENTRY } } as KeyPolicy,
    store: { type: "kubernetes", namespace } as StorePolicy,
  };
  const parts = { ...realParts(), kube: () => admin };

  const shop = {
    namespace,
    hooks,
    /** Somebody writes one entry of a Secret. */
    async write(value: string, { secret = SECRET, entry = ENTRY } = {}) {
      const data = { [entry]: base64(value) };
      if (await admin.get(SECRETS, namespace, secret))
        await admin.patch(SECRETS, namespace, secret, { data });
      else
        await admin.create<KubeObject>(SECRETS, namespace, {
          metadata: { name: secret },
          data,
        } as KubeObject);
    },
    /** Makes the workload and waits until it runs. */
    async run(kind = "deployment", more: object = {}) {
      await admin.create<KubeObject>(RESOURCES[kind] as KubeResource, namespace, workload(kind, more));
      await shop.complete(kind);
    },
    get: async (kind = "deployment") => {
      const found = await admin.get<Workload>(RESOURCES[kind] as KubeResource, namespace, "payments");
      if (!found) throw new Error(`there is no ${kind}`);
      return found;
    },
    pods: async () => (await admin.list<Pod>(PODS, namespace, { labelSelector: "app=payments" })).items,
    /** Waits until the controllers have nothing left to do. */
    complete: (kind = "deployment") =>
      until(`the ${kind}'s rollout`, async () => {
        const { state } = progressOf(workloadRef(`${kind}/payments`), await shop.get(kind));
        return state === "complete" || state === "zero";
      }),
    patch: (patch: object, kind = "deployment") =>
      admin.patch<Workload>(RESOURCES[kind] as KubeResource, namespace, "payments", patch),
    look: (kind = "deployment"): Promise<Sweep> =>
      shop.probe({ kubernetes: { rollout: `${kind}/payments` } }),
    probe: (policy: object, reload?: object): Promise<Sweep> =>
      createProbe(consumer(policy, reload), parts, home).sweep(asked),
    reload: (kubernetes: object, wanted: Expected = asked, rest: object = {}) =>
      createReload(consumer({ http: "http://127.0.0.1:1/" }, { kubernetes, ...rest }), parts, home)?.run(
        wanted,
      ) as Promise<void>,
    [Symbol.asyncDispose]: () => kubelet[Symbol.asyncDispose](),
  };
  await shop.write(OLD);
  return shop;
}

export type Shop = Awaited<ReturnType<typeof openShop>>;

function workload(kind: string, more: object): KubeObject {
  const labels = { app: "payments" };
  const env = { name: ENTRY, valueFrom: { secretKeyRef: { name: SECRET, key: ENTRY } } };
  const containers = [{ name: "app", image: "example/payments:1", env: [env] }];
  return {
    metadata: { name: "payments" },
    spec: {
      ...(kind === "daemonset" ? {} : { replicas: 2 }),
      ...(kind === "statefulset" ? { serviceName: "payments" } : {}),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
      ...more,
    },
  } as KubeObject;
}

/** A sweep in a line for each instance, names of pods left out. */
export function lines({ instances, problem }: Sweep): string[] {
  const said = instances.map(({ instance, verdict, detail }) => {
    return `${instance.startsWith("payments-") ? "pod" : instance} ${verdict}: ${detail}`;
  });
  return problem === undefined ? said : [`problem: ${problem}`, ...said];
}
