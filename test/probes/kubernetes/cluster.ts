import {
  EXTERNAL_SECRETS,
  type KubeObject,
  type KubeResource,
  SECRETS,
} from "../../../src/kubernetes/api.ts";
import { kubeApi } from "../../../src/kubernetes/kube-api.ts";
import type { ConsumerPolicy, KeyPolicy, StorePolicy } from "../../../src/policy/schema.ts";
import { createProbe } from "../../../src/probes/create-probe.ts";
import type { ProbeParts } from "../../../src/probes/parts.ts";
import type { Expected, Sweep } from "../../../src/probes/probe.ts";
import { createReload } from "../../../src/probes/reload.ts";
import { KubeModel } from "../../kubernetes/model/kube-model.ts";
import { type Pod, type Workload, Workloads } from "../../kubernetes/model/workloads.ts";
import { virtualClock } from "../../providers/virtual-clock.ts";
import { consumer, expected, realParts } from "../support.ts";

export const NEW = "sk-or-v1-new";
export const OLD = "sk-or-v1-old";
const ENTRY = "OPENROUTER_API_KEY";

/** The key's home: an entry of the Secret `payments-openrouter` in `shop`. */
const HOME = {
  key: {
    name: "payments-api",
    store: { use: "cluster", secret: "payments-openrouter", field: ENTRY },
  } as KeyPolicy,
  store: { type: "kubernetes", namespace: "shop" } as StorePolicy,
};

export const asked: Expected = { ...expected, rotation: "r1" };

/** A cluster in virtual time, in which the Secret `payments-openrouter` holds the old key. */
export function cluster(home: typeof HOME | null = HOME) {
  const clock = virtualClock();
  const model = new KubeModel({ clock });
  const kube = kubeApi(async () => ({ send: model.send, namespace: "shop", name: "model" }), {
    clock,
    random: { bytes: (n) => new Uint8Array(n), fraction: () => 0.5 },
  });
  const workloads = new Workloads(model);
  const parts: ProbeParts = { ...realParts(), clock, kube: () => kube };
  const world = {
    clock,
    model,
    kube,
    workloads,
    parts,
    /** Somebody writes the Secret's entries whole. */
    secret(entries: Record<string, string>, { name = "payments-openrouter", manager = "keyturn" } = {}) {
      const before = model.find<KubeObject>(SECRETS, "shop", name);
      const data = Object.fromEntries(
        Object.entries(entries).map(([entry, text]) => [entry, Buffer.from(text).toString("base64")]),
      );
      model.put(
        SECRETS,
        "shop",
        { ...before, metadata: before?.metadata ?? { name }, data } as KubeObject,
        manager,
      );
    },
    /** The key's entry. */
    put: (key: string, manager = "keyturn") => world.secret({ [ENTRY]: key }, { manager }),
    pass: (ms: number) => clock.sleep(ms),
    /** The pod template of a workload, as its annotations say. */
    stamps: (resource: KubeResource, name = "payments") =>
      workloads.get(resource, name).spec.template.metadata.annotations ?? {},
    stamp(resource: KubeResource, hash = asked.hash, name = "payments") {
      model.edit<Workload>(resource, "shop", name, (object) => {
        object.spec.template.metadata.annotations = { "key.keyturn.dev/payments-api": hash };
      });
    },
    edit: (resource: KubeResource, change: (object: Workload) => void, subresource?: "status") =>
      model.edit<Workload>(resource, "shop", "payments", change, subresource && { subresource }),
    podStatus: (pod: Pod, change: (pod: Pod) => void) =>
      model.edit<Pod>(
        { group: "", version: "v1", plural: "pods", kind: "Pod" },
        "shop",
        pod.metadata.name,
        change,
        {
          subresource: "status",
        },
      ),
    probe: (policy: object, reload?: object): Promise<Sweep> =>
      createProbe(consumer(policy, reload), parts, home ?? undefined).sweep(asked),
    reload: (reload: object, wanted: Expected = asked, signal?: AbortSignal) =>
      createReload(reloading(reload), parts, home ?? undefined)?.run(wanted, signal) as Promise<void>,
    externalSecret(spec: object = {}, conditions: object[] = []) {
      model.put(EXTERNAL_SECRETS, "shop", {
        metadata: { name: "payments" },
        spec: { refreshInterval: "1h", ...spec },
      } as unknown as KubeObject);
      world.conditions(conditions);
    },
    conditions(conditions: object[]) {
      const change = (object: KubeObject & { status?: object }) => {
        object.status = { conditions };
      };
      model.edit(EXTERNAL_SECRETS, "shop", "payments", change, { subresource: "status" });
    },
  };
  world.put(OLD);
  return world;
}

export type Cluster = ReturnType<typeof cluster>;

function reloading(reload: object): ConsumerPolicy {
  return consumer({ http: "http://127.0.0.1:1/" }, reload);
}

/** A sweep in a line for each instance, uids left out. */
export function lines({ instances, problem }: Sweep): string[] {
  const said = instances.map(
    ({ instance, verdict, detail }) => `${instance.replace(/ \([0-9a-f]{8}\)$/, "")} ${verdict}: ${detail}`,
  );
  return problem === undefined ? said : [`problem: ${problem}`, ...said];
}

export function verdicts({ instances }: Sweep): string[] {
  return instances.map(({ verdict }) => verdict);
}
