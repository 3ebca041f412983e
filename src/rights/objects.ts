import { JOURNAL_LABEL } from "../journal/kubernetes/names.ts";
import { CONFIG_MAPS, type KubeObject, type KubeResource, LEASES, SECRETS } from "../kubernetes/api.ts";
import type { Policy } from "../policy/schema.ts";
import { newCompanion } from "../stores/kubernetes/companion.ts";
import { journalNames, kubernetesStoreOf } from "./needed.ts";

export interface EmptyObject {
  context: string | undefined;
  object: KubeObject;
}

/**
 * The objects that keyturn writes and that a policy names, without content: an empty one counts as
 * new, and one that is there needs no right to create it. Each once, in the order of the policy.
 */
export function emptyObjects(policy: Policy): EmptyObject[] {
  const found = new Map<string, EmptyObject>();
  const add = (
    context: string | undefined,
    resource: KubeResource,
    namespace: string,
    object: KubeObject,
  ) => {
    const { group, version, kind } = resource;
    const { metadata, ...rest } = object;
    const { name, ...more } = metadata;
    found.set(JSON.stringify([context, kind, namespace, name]), {
      context,
      object: {
        apiVersion: group ? `${group}/${version}` : version,
        kind,
        metadata: { name, namespace, ...more },
        ...rest,
      },
    });
  };

  for (const key of policy.keys) {
    const store = kubernetesStoreOf(policy, key);
    if (store === undefined) continue;
    const { context, namespace } = store;
    const { secret, create } = key.store;
    if (create)
      add(context, SECRETS, namespace, { metadata: { name: secret }, type: "Opaque" } as KubeObject);
    add(context, SECRETS, namespace, newCompanion(secret));
  }
  const { journal } = policy;
  if (journal.type === "kubernetes") {
    const { configMaps, leases } = journalNames(policy);
    const labels = { [JOURNAL_LABEL]: journal.name };
    for (const [resource, names] of [
      [CONFIG_MAPS, configMaps],
      [LEASES, leases],
    ] as const)
      for (const name of names)
        add(journal.context, resource, journal.namespace, { metadata: { name, labels } });
  }
  return [...found.values()];
}
