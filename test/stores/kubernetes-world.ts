import { CONFIG_MAPS, type KubeSend, SECRETS } from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { companionName } from "../../src/stores/kubernetes/names.ts";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import type { SecretRef, StagedVersion, Store } from "../../src/stores/store.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { base64 } from "./kubernetes-bench.ts";

export const OWNER = { installation: "prod", journal: "j1" };
export const NAMESPACE = "shop";
export const REF = { secret: "payments", field: "LLM_KEY" };
export const COMPANION = companionName(REF.secret);

/** A model of the API server in virtual time, stores on it, and people. */
export function kubernetesWorld(clock: Clock = virtualClock()) {
  const model = new KubeModel({ clock });
  const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };
  const open = (send: KubeSend = model.send) => {
    const kube = kubeApi(async () => ({ send, namespace: NAMESPACE, name: "model" }), { clock, random });
    return kubernetesStore("cluster", { type: "kubernetes", namespace: NAMESPACE }, { kube, clock, random });
  };
  const store = open();
  const find = (name: string) => model.find<KubeSecret>(SECRETS, NAMESPACE, name);
  const stage = async (text: string, rotation = "r1", ref: SecretRef = REF, by: Store = store) =>
    by.stage(ref, {
      rotation,
      hash: `hash-${text}`,
      value: new Secret(text),
      base: (await by.observe(ref)).base,
    });

  return {
    clock,
    model,
    store,
    /** Another process's store. */
    open,
    find,
    stage,
    /** Claims, stages and promotes. */
    async put(text: string, ref: SecretRef = REF): Promise<StagedVersion> {
      await store.claim(ref, OWNER, { create: true });
      const staged = await stage(text, `put-${text}`, ref);
      await store.promote(ref, staged.version, staged.base);
      return staged;
    },
    /** A person makes the Secret, or replaces it whole. */
    make: (
      entries: Record<string, string>,
      more: Omit<Partial<KubeSecret>, "metadata" | "data"> & { metadata?: object } = {},
    ) =>
      model.put<KubeSecret>(SECRETS, NAMESPACE, {
        type: "Opaque",
        ...more,
        metadata: { name: REF.secret, ...more.metadata },
        data: encoded(entries),
      }),
    /** A person edits the Secret. */
    edit: (change: (secret: KubeSecret) => void, name = REF.secret) =>
      model.edit<KubeSecret>(SECRETS, NAMESPACE, name, change),
    /** What consumers use. */
    entries: (name = REF.secret) =>
      Object.fromEntries(Object.entries(find(name)?.data ?? {}).map(([key, text]) => [key, decoded(text)])),
    /** All that can be read in the namespace, decoded too. */
    everything: () =>
      [...model.all<KubeSecret>(SECRETS, NAMESPACE), ...model.all<KubeSecret>(CONFIG_MAPS, NAMESPACE)]
        .flatMap((object) => [JSON.stringify(object), ...Object.values(object.data ?? {}).map(decoded)])
        .join("\n"),
    /** The calls that `work` makes, in order, like `update payments`. */
    async callsOf(work: () => Promise<unknown>): Promise<string[]> {
      model.calls.length = 0;
      await work();
      return model.calls.map(({ verb, name }) => `${verb} ${name}`);
    },
  };
}

export function encoded(entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, base64(text)]));
}

function decoded(text: string): string {
  return Buffer.from(text, "base64").toString();
}

/** What a call is refused with, as a person reads it. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => undefined,
    (thrown: { code: string; message: string; hint?: string }) => thrown,
  );
  return error ? `${error.code}: ${error.message}${error.hint ? `\n${error.hint}` : ""}` : "no refusal";
}
