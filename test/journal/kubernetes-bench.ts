import type { Journal, Lease } from "../../src/journal/journal.ts";
import { objectName } from "../../src/journal/kubernetes/names.ts";
import type { ConfigMap, LeaseObject } from "../../src/journal/kubernetes/objects.ts";
import { openKubernetesJournal } from "../../src/journal/kubernetes/open.ts";
import { seal } from "../../src/journal/seal.ts";
import { CONFIG_MAPS, type KubeObject, type KubeSend, LEASES, PODS } from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { CallMatch } from "../kubernetes/model/faults.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { type ManualClock, manualClock } from "./manual-clock.ts";

export const CONFIG = { namespace: "shop", name: "keyturn" };

/** One process with the journal open. */
export interface JournalProcess {
  journal: Journal;
  pod: string;
}

export interface ProcessOptions {
  /** The process's own clock; the API server's when left out. */
  clock?: Clock;
  /** What its calls go through. */
  send?: KubeSend;
  /** In a pod of the cluster; true when left out. */
  inPod?: boolean;
  mayCreate?: boolean;
  config?: typeof CONFIG;
}

/** A cluster with one journal in it, and processes that come and go. */
export class JournalBench {
  readonly clock: ManualClock = manualClock();
  readonly model = new KubeModel({ clock: this.clock });
  /** What processes have logged at warn and above. */
  readonly warned: string[] = [];
  #pods = 0;

  /** What a process needs to open the journal; its pod runs. */
  parts({ clock = this.clock, send = this.model.send, inPod = true, mayCreate }: ProcessOptions = {}) {
    const pod = `keyturn-${++this.#pods}`;
    const { metadata } = this.model.put(PODS, CONFIG.namespace, podNamed(pod));
    return {
      pod,
      kube: kubeApi(
        async () => ({ send, namespace: CONFIG.namespace, name: inPod ? "in-cluster" : "desk" }),
        {
          clock,
          random: systemRandom,
        },
      ),
      clock,
      random: systemRandom,
      holder: { host: "desk", pod: { namespace: CONFIG.namespace, name: pod, uid: metadata.uid ?? "" } },
      log: (level: string, _: object, message: string) => {
        if (level === "warn" || level === "error") this.warned.push(message);
      },
      ...(mayCreate === undefined ? {} : { mayCreate }),
    };
  }

  async process(options: ProcessOptions = {}): Promise<JournalProcess> {
    const { pod, ...parts } = this.parts(options);
    return { journal: await openKubernetesJournal(options.config ?? CONFIG, parts), pod };
  }

  async open(options: ProcessOptions = {}): Promise<Journal> {
    return (await this.process(options)).journal;
  }

  /** The next call that matches is on its way until it is let go. */
  hold(match: CallMatch): { reached: Promise<void>; letGo(): void } {
    const reached = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    this.model.once(match, async (proceed) => {
      reached.resolve();
      await gone.promise;
      return proceed();
    });
    return { reached: reached.promise, letGo: gone.resolve };
  }

  /** The pod is evicted: it stays, and none of it runs. */
  evict(pod: string): void {
    this.model.edit<KubeObject & { status?: object }>(
      PODS,
      CONFIG.namespace,
      pod,
      (object) => {
        object.status = { phase: "Failed", reason: "Evicted" };
      },
      { subresource: "status" },
    );
  }

  removePod(pod: string): void {
    const found = this.model.find(PODS, CONFIG.namespace, pod);
    if (found) this.model.finish(found);
  }

  /** A StatefulSet makes a pod of the same name. */
  replacePod(pod: string): void {
    this.removePod(pod);
    this.model.put(PODS, CONFIG.namespace, podNamed(pod));
  }

  removeLease(target: string): void {
    this.model.remove(LEASES, CONFIG.namespace, objectName(CONFIG.name, target));
  }

  configMap(target?: string): ConfigMap | undefined {
    const name = target === undefined ? CONFIG.name : objectName(CONFIG.name, target);
    return this.model.find<ConfigMap>(CONFIG_MAPS, CONFIG.namespace, name);
  }

  lease(target: string): LeaseObject | undefined {
    return this.model.find<LeaseObject>(LEASES, CONFIG.namespace, objectName(CONFIG.name, target));
  }

  /** A person changes a target's ConfigMap, or the journal's own. */
  edit(target: string | undefined, change: (data: Record<string, string>, object: ConfigMap) => void): void {
    const name = target === undefined ? CONFIG.name : objectName(CONFIG.name, target);
    this.model.edit<ConfigMap>(CONFIG_MAPS, CONFIG.namespace, name, (object) => {
      object.data ??= {};
      change(object.data, object);
    });
  }

  /** Puts a text where a document is kept, as keyturn would if it is JSON. */
  overwrite(target: string, text: string): void {
    this.edit(target, (data) => {
      data.document = isJson(text) ? seal(JSON.parse(text)) : text;
    });
  }

  remove(target: string | undefined): void {
    const name = target === undefined ? CONFIG.name : objectName(CONFIG.name, target);
    this.model.remove(CONFIG_MAPS, CONFIG.namespace, name);
  }
}

export async function take(journal: Journal, target: string, ttlMs = 60_000): Promise<Lease> {
  const lease = await journal.acquire(target, ttlMs);
  if (lease === undefined) throw new Error(`no lease of ${target}`);
  return lease;
}

function podNamed(name: string): KubeObject {
  return { metadata: { name }, spec: { containers: [{ name: "worker", image: "keyturn" }] } } as KubeObject;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
