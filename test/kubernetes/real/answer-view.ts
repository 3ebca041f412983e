import type { KubeAnswer } from "../../../src/kubernetes/api.ts";

type Json = Record<string, unknown>;

/** What the server draws, or counts for all objects together: the same in two servers only as a pattern. */
const DRAWN = new Set(["uid", "resourceVersion", "continue"]);
const TIMES = /^(creationTimestamp|deletionTimestamp|time|lastTransitionTime|lastUpdateTime)$/;
/** Kinds whose whole content is compared; of the others, which the server fills with defaults, CHOSEN is. */
const WHOLE = /^(Secret|ConfigMap|Lease|Event)(List)?$/;
const CHOSEN: Readonly<Record<string, readonly string[]>> = {
  spec: ["replicas", "paused", "selector", "template", "nodeName", "refreshInterval"],
  template: ["metadata"],
  status: ["phase", "podIP", "podIPs", "conditions", "refreshTime"],
};
/** Changed by the controllers at any time. */
const CONTROLLED = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"]);

/**
 * Makes views of one server's answers that can be compared with another's, in the order in which they
 * came: a uid or resourceVersion is replaced by the rank of its first appearance, a time by a
 * word, the namespace by NS. Of a refusal the wording is kept where it is no list of faults.
 */
export function answerViews(namespace: string): (answer: KubeAnswer) => unknown {
  const seen = new Map<string, string>();
  const drawn = (kind: string, value: string) => {
    const id = `${kind} ${value}`;
    const rank = [...seen.keys()].filter((other) => other.startsWith(kind)).length + 1;
    if (!seen.has(id)) seen.set(id, `${kind} #${rank}`);
    return seen.get(id);
  };
  const text = (key: string, value: string) => {
    if (DRAWN.has(key) && value !== "") return drawn(key, value);
    if (TIMES.test(key)) return "an instant";
    if (value.length > 2_000) return `${value.length} characters`;
    return value
      .replaceAll(namespace, "NS")
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "a uid")
      .replace(/(precondition|record) \(\d+\)/g, "$1 (a version)");
  };
  const walk = (value: unknown, key: string): unknown => {
    if (typeof value === "string") return text(key, value);
    if (Array.isArray(value)) return value.map((item) => walk(item, key));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value)
      .map(([name, inner]) => [name, walk(inner, name)] as const)
      .filter(([name, inner]) => !(name === "metadata" && isEmpty(inner)) && inner !== "");
    return Object.fromEntries(entries);
  };
  return ({ status, body }) => ({ status, body: typeof body === "string" ? body : walk(chosen(body), "") });
}

function chosen(body: unknown): unknown {
  const { kind = "", items } = body as { kind?: string; items?: unknown[] };
  if (kind === "Status") return ofStatus(body as Json);
  if (!items) return ofItem(kind, body);
  // Of a list it counts every write in the cluster.
  const { resourceVersion, ...metadata } = (body as { metadata: Json }).metadata;
  return { ...(body as Json), metadata, items: items.map((item) => ofItem(kind, item)) };
}

function ofItem(kind: string, object: unknown): unknown {
  return WHOLE.test(kind) ? sorted(object) : ofObject(kind, object);
}

function ofStatus(body: Json): Json {
  const { message, details, ...rest } = body;
  const { causes, ...what } = (details ?? {}) as { causes?: Json[] };
  return {
    ...rest,
    // In what order faults are found is nobody's contract, and Go's own words for unreadable JSON are not either.
    ...(body.code === 400 || body.code === 422 ? {} : { message }),
    details: { ...what, causes: causes?.map(({ field, reason }) => `${field}: ${reason}`).toSorted() },
  };
}

function ofObject(kind: string, object: unknown): unknown {
  const { metadata, ...rest } = only(object, "") as { metadata: Json };
  const { managedFields, resourceVersion, annotations, ...other } = metadata;
  const controlled = CONTROLLED.has(kind);
  return {
    ...rest,
    ...(controlled && { status: undefined }),
    metadata: {
      ...other,
      ...(!controlled && { resourceVersion, annotations }),
      managers: (managedFields as Json[] | undefined)
        ?.filter(({ manager }) => manager !== "kube-controller-manager")
        .map(({ manager, operation, subresource = "all" }) => `${manager} ${operation} ${subresource}`)
        .toSorted(),
    },
  };
}

/** Without the fields that are defaults. */
function only(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([name]) => CHOSEN[key]?.includes(name) ?? true);
  return Object.fromEntries(kept.map(([name, inner]) => [name, only(inner, name)]));
}

/** With the entries of managedFields in an order of ours. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (name !== "managedFields" || !Array.isArray(inner)) return [name, sorted(inner)];
      const rank = ({ manager, subresource = "" }: Json) => `${manager} ${subresource}`;
      return [name, inner.toSorted((a, b) => rank(a).localeCompare(rank(b)))];
    }),
  );
}

function isEmpty(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
