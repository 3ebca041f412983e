import { type KubeApi, SECRETS } from "../../src/kubernetes/api.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { companionName } from "../../src/stores/kubernetes/names.ts";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import type { StoreBench } from "../conformance/store.ts";

/** A Secret is always a map: there are no plain ones, and no text to be damaged. */
export const CAPABILITIES = {
  firstVersionIsCurrent: false,
  editsAreVersions: false,
  editsKeepLabels: true,
  onlyFields: true,
};

/** The conformance suite's bench on whatever API server answers `kube`; its Secrets are removed at the end. */
export function kubernetesBench(
  kube: KubeApi,
  namespace: string,
  close: () => Promise<void> = async () => {},
): StoreBench {
  const open = () =>
    kubernetesStore(
      "cluster",
      { type: "kubernetes", namespace },
      { kube, clock: systemClock, random: systemRandom },
    );
  const set = async (name: string, data: Record<string, string>, keep: boolean) => {
    const found = await kube.get<KubeSecret>(SECRETS, namespace, name);
    if (!found) await kube.create(SECRETS, namespace, { metadata: { name }, type: "Opaque", data });
    else await kube.replace(SECRETS, namespace, { ...found, data: { ...(keep ? found.data : {}), ...data } });
  };
  return {
    store: open(),
    another: async () => open(),
    write: ({ secret, field = "" }, value) => set(secret, { [field]: base64(value) }, true),
    overwrite: ({ secret }, text) => set(secret, entriesOf(text), false),
    async close() {
      for (const secret of ["shared", "plain"])
        for (const name of [secret, companionName(secret)]) await kube.delete(SECRETS, namespace, name);
      await close();
    },
  };
}

/** Each field of a JSON object as an entry: text as it is, anything else as JSON; null is none. */
function entriesOf(text: string): Record<string, string> {
  const fields = Object.entries(JSON.parse(text) as Record<string, unknown>);
  return Object.fromEntries(
    fields
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, base64(typeof value === "string" ? value : JSON.stringify(value))]),
  );
}

export function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
