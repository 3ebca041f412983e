import type { KubeAccess, KubeResource } from "./api.ts";

/** One call in the API's own words, for paths and for messages. */
export interface KubeCall {
  verb: KubeAccess["verb"];
  resource: KubeResource;
  namespace: string;
  /** Missing for a list, and for what is asked about no object. */
  name?: string;
}

/** Where the API keeps the objects of a kind in a namespace, or one of them. */
export function pathOf(resource: KubeResource, namespace: string, name?: string): string {
  const { group, version, plural } = resource;
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const all = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  return name === undefined ? all : `${all}/${encodeURIComponent(name)}`;
}

/** `get Secret payments in namespace shop`. */
export function said({ verb, resource, namespace, name }: KubeCall): string {
  const what = name === undefined ? resource.plural : `${resource.kind} ${name}`;
  return `${verb} ${what} in namespace ${namespace}`;
}

/** As `kubectl auth can-i` takes it: `externalsecrets.external-secrets.io/payments`. */
export function resourceSaid({ resource, name }: Pick<KubeCall, "resource" | "name">): string {
  const { group, plural } = resource;
  return `${plural}${group && `.${group}`}${name === undefined ? "" : `/${name}`}`;
}
