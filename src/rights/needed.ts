import { journalObjects } from "../journal/kubernetes/names.ts";
import {
  CONFIG_MAPS,
  EVENTS,
  EXTERNAL_SECRETS,
  type KubeAccess,
  type KubeResource,
  LEASES,
  PODS,
  SECRETS,
} from "../kubernetes/api.ts";
import type { ConsumerPolicy, KeyPolicy, Policy } from "../policy/schema.ts";
import { workloadRef } from "../probes/kubernetes/workload.ts";
import { targetName } from "../rotation/names.ts";
import { companionName } from "../stores/kubernetes/names.ts";

/** One thing that keyturn must be allowed to do in a cluster. */
export interface KubeRight extends KubeAccess {
  /** Context of the kubeconfig; undefined for the cluster that keyturn runs in, or the current context. */
  context: string | undefined;
  /** What of the policy needs it. */
  part: "store" | "journal" | "consumer";
  /** What it is for, without a full stop. */
  why: string;
  /** Work goes on without it. */
  optional?: true;
}

/**
 * Every right that a policy needs in Kubernetes, in the order of the policy and each once; none for a
 * policy that uses nothing of Kubernetes. `here` is the namespace that keyturn runs in. Creating is
 * not among them, but for events: RBAC can bind it to no name, so the objects are made beforehand
 * (see {@link emptyObjects}).
 */
export function neededRights(policy: Policy, here: string): KubeRight[] {
  const all = [
    ...policy.keys.flatMap((key) => storeRights(policy, key)),
    ...policy.keys.flatMap((key) =>
      key.consumers === "none" ? [] : key.consumers.flatMap((one) => consumerRights(policy, key, one, here)),
    ),
    ...journalRights(policy),
  ];
  const known = new Map<string, KubeRight>();
  for (const right of all) {
    const id = JSON.stringify([right.context, right.namespace, right.resource, right.name, right.verb]);
    if (!known.has(id)) known.set(id, right);
  }
  return [...known.values()];
}

/** The store of a key, where that is Kubernetes. */
export function kubernetesStoreOf({ stores }: Policy, { store }: Pick<KeyPolicy, "store">) {
  const config = stores[store.use];
  return config?.type === "kubernetes" ? config : undefined;
}

/** The names of a Kubernetes journal's objects; none for another journal. */
export function journalNames({ journal, keys }: Policy): { configMaps: string[]; leases: string[] } {
  if (journal.type !== "kubernetes") return { configMaps: [], leases: [] };
  const targets = keys.map(({ store }) => targetName(store.use, store.secret));
  return journalObjects(journal, targets);
}

/** What all rights of one purpose have in common. */
type Purpose = Pick<KubeRight, "context" | "namespace" | "part" | "why">;

function rights(
  purpose: Purpose,
  verbs: readonly KubeAccess["verb"][],
  resource: KubeResource,
  name: string,
): KubeRight[] {
  return verbs.map((verb) => ({ ...purpose, verb, resource, name }));
}

function storeRights(policy: Policy, key: KeyPolicy): KubeRight[] {
  const store = kubernetesStoreOf(policy, key);
  if (store === undefined) return [];
  const { secret } = key.store;
  const place = { context: store.context, namespace: store.namespace, part: "store" } as const;
  return [
    ...rights({ ...place, why: "the Secrets in which keys are kept" }, ["get", "patch"], SECRETS, secret),
    ...rights(
      { ...place, why: "beside each, a Secret with its pending and previous values, which no pod mounts" },
      ["get", "patch"],
      SECRETS,
      companionName(secret),
    ),
  ];
}

function consumerRights(
  policy: Policy,
  key: KeyPolicy,
  { probe, reload }: ConsumerPolicy,
  here: string,
): KubeRight[] {
  const store = kubernetesStoreOf(policy, key);
  const at = (namespace: string | undefined, why: string): Purpose => ({
    context: store?.context,
    namespace: namespace ?? store?.namespace ?? here,
    part: "consumer",
    why,
  });
  const hook = reload?.kubernetes;
  const rollout = probe.kubernetes;
  const sync = hook?.sync?.slice(hook.sync.indexOf("/") + 1);
  const found: KubeRight[] = [];
  if (hook?.restart !== undefined) {
    const { resource, name } = workloadRef(hook.restart);
    found.push(
      ...rights(
        at(hook.namespace, "workloads that are restarted when their key is new"),
        ["get", "patch"],
        resource,
        name,
      ),
    );
  }
  if (hook !== undefined && sync !== undefined)
    found.push(
      ...rights(
        at(hook.namespace, "ExternalSecrets that are told to refresh"),
        ["get", "patch"],
        EXTERNAL_SECRETS,
        sync,
      ),
    );
  if (rollout !== undefined) {
    const { resource, name } = workloadRef(rollout.rollout);
    const place = at(rollout.namespace, "workloads whose rollout shows that every pod has the new key");
    found.push(...rights(place, ["get"], resource, name));
    if (sync !== undefined) found.push(...rights(place, ["get"], EXTERNAL_SECRETS, sync));
    found.push(listPods(at(rollout.namespace, LISTS_PODS)));
  }
  if (probe.pods !== undefined) found.push(listPods(at(probe.pods.namespace, LISTS_PODS)));
  for (const part of [hook, rollout]) {
    if (part === undefined) continue;
    // What an ExternalSecret writes bears its name, unless the policy says otherwise.
    const watched = hook?.secret ?? rollout?.secret ?? sync;
    const place = at(
      part.namespace,
      "the Secrets from which pods get their keys, to see that a new one is there",
    );
    const own = store?.namespace === place.namespace ? key.store.secret : undefined;
    const name = watched ?? own;
    if (name !== undefined) found.push(...rights(place, ["get"], SECRETS, name));
  }
  return found;
}

const LISTS_PODS =
  "pods, to ask or look at each one of a consumer; RBAC knows no selector, so this is every pod of the namespace";

function listPods(purpose: Purpose): KubeRight {
  return { ...purpose, verb: "list", resource: PODS };
}

function journalRights(policy: Policy): KubeRight[] {
  const { journal } = policy;
  if (journal.type !== "kubernetes") return [];
  const { context, namespace } = journal;
  const at = (why: string): Purpose => ({ context, namespace, part: "journal", why });
  const { configMaps, leases } = journalNames(policy);
  return [
    ...configMaps.flatMap((name) => rights(at("the journal"), ["get", "update"], CONFIG_MAPS, name)),
    ...leases.flatMap((name) => rights(at("who works on a key just now"), ["get", "update"], LEASES, name)),
    {
      ...at("shows what was done as Kubernetes Events; may be left out"),
      verb: "create",
      resource: EVENTS,
      optional: true,
    },
    {
      ...at("sees that a pod that held a key's Lease is gone, instead of waiting a while; may be left out"),
      verb: "get",
      resource: PODS,
      optional: true,
    },
  ];
}
