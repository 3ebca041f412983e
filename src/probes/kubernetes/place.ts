import type { KubeApi } from "../../kubernetes/api.ts";
import type { KeyPolicy, StorePolicy } from "../../policy/schema.ts";
import type { ProbeParts } from "../parts.ts";

/** Where the key is kept, for what defaults to that. */
export interface KeyHome {
  key: Pick<KeyPolicy, "name" | "store">;
  store: StorePolicy | undefined;
}

/** A namespace of a cluster. */
export interface KubePlace {
  kube: KubeApi;
  namespace: string;
}

/**
 * The namespace asked for, else that of the key's Kubernetes store, else the cluster's own; in the
 * cluster of that store, else in the one that the surroundings name. Throws as {@link KubeApi} does
 * when there is no cluster to connect to.
 */
export async function placeOf(
  namespace: string | undefined,
  home: KeyHome | undefined,
  { kube }: Pick<ProbeParts, "kube">,
): Promise<KubePlace> {
  const store = home?.store?.type === "kubernetes" ? home.store : undefined;
  const api = kube(store?.context);
  return { kube: api, namespace: namespace ?? store?.namespace ?? (await api.cluster()).namespace };
}
