import type { KubeAnswer, KubeRequest, KubeResource } from "../../../src/kubernetes/api.ts";
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  EVENTS,
  EXTERNAL_SECRETS,
  LEASES,
  PODS,
  REPLICA_SETS,
  SECRETS,
} from "../../../src/kubernetes/api.ts";
import { pathOf } from "../../../src/kubernetes/call.ts";

/** Calls in the order in which they are made; later ones may take from earlier answers. */
export interface Scenario {
  name: string;
  play(api: Caller): Promise<void>;
}

type Json = Record<string, unknown>;
type Query = Record<string, string>;
interface Body extends Json {
  metadata: Json;
}

/** The calls in one namespace; each answer is noted under `said`. */
export interface Caller {
  create(said: string, resource: KubeResource, body: Json): Promise<Body>;
  get(said: string, resource: KubeResource, name: string): Promise<Body>;
  list(said: string, resource: KubeResource, query?: Query): Promise<Body>;
  replace(said: string, resource: KubeResource, name: string, body: Json): Promise<Body>;
  patch(said: string, resource: KubeResource, name: string, body: Json): Promise<Body>;
  delete(said: string, resource: KubeResource, name: string, options?: Json): Promise<Body>;
  /** The same by another manager of fields. */
  as(manager: string): Caller;
}

/** Calls over `send`; `note` gets every answer. */
export function caller(
  send: (request: KubeRequest) => Promise<KubeAnswer>,
  namespace: string,
  note: (said: string, answer: KubeAnswer) => void,
  fieldManager = "keyturn",
): Caller {
  const query = { fieldManager };
  const ask = async (said: string, request: KubeRequest) => {
    const answer = await send(request);
    note(said, answer);
    return answer.body as Body;
  };
  const typed = ({ group, version, kind }: KubeResource, body: Json) => {
    return { apiVersion: group === "" ? version : `${group}/${version}`, kind, ...body };
  };
  const at = (resource: KubeResource, name: string) => {
    const [object = "", subresource] = name.split("/");
    return pathOf(resource, namespace, object) + (subresource === undefined ? "" : `/${subresource}`);
  };
  return {
    as: (manager) => caller(send, namespace, note, manager),
    create: (said, resource, body) => {
      const path = pathOf(resource, namespace);
      return ask(said, { method: "POST", path, query, body: typed(resource, body) });
    },
    get: (said, resource, name) => ask(said, { method: "GET", path: at(resource, name) }),
    list: (said, resource, filter = {}) =>
      ask(said, { method: "GET", path: pathOf(resource, namespace), query: filter }),
    replace: (said, resource, name, body) =>
      ask(said, { method: "PUT", path: at(resource, name), query, body: typed(resource, body) }),
    patch: (said, resource, name, body) => {
      const contentType = "application/merge-patch+json";
      return ask(said, { method: "PATCH", path: at(resource, name), query, body, contentType });
    },
    delete: (said, resource, name, options = {}) => {
      const body = { apiVersion: "v1", kind: "DeleteOptions", ...options };
      return ask(said, { method: "DELETE", path: at(resource, name), body });
    },
  };
}

const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (name: string, data: Json = { KEY: base64("k1") }, more: Json = {}) => {
  return { metadata: { name }, type: "Opaque", data, ...more };
};
const template = (labels: Json) => ({
  metadata: { labels },
  spec: { containers: [{ name: "app", image: "example/app:1" }] },
});
const deployment = (name: string, labels: Json = { app: name }) => {
  return {
    metadata: { name },
    spec: { replicas: 0, selector: { matchLabels: { app: name } }, template: template(labels) },
  };
};
const pod = (name: string, nodeName?: string) => ({
  metadata: { name, labels: { app: "payments" } },
  spec: { containers: [{ name: "app", image: "example/app:1" }], ...(nodeName && { nodeName }) },
});

export const scenarios: Scenario[] = [
  {
    name: "a Secret is created, read, changed at its version, and deleted",
    async play(api) {
      await api.get("absent", SECRETS, "payments");
      const made = await api.create("made", SECRETS, secret("payments"));
      await api.create("made again", SECRETS, secret("payments"));
      await api.get("read", SECRETS, "payments");
      const next = { ...made, data: { KEY: base64("k2"), OTHER: base64("x") } };
      const changed = await api.replace("replaced", SECRETS, "payments", next);
      await api.replace("replaced at the old version", SECRETS, "payments", next);
      await api.replace("replaced by the same", SECRETS, "payments", changed);
      await api.replace("replaced at no version", SECRETS, "payments", secret("payments"));
      const other = {
        ...changed,
        metadata: { name: "payments", uid: "00000000-0000-0000-0000-000000000000" },
      };
      await api.replace("replaced with another uid", SECRETS, "payments", other);
      await api.replace("replaced under another name", SECRETS, "billing", changed);
      await api.replace("replaced where none is", SECRETS, "nobody", secret("nobody"));
      await api.delete("deleted", SECRETS, "payments");
      await api.get("read when it is gone", SECRETS, "payments");
      await api.delete("deleted when it is gone", SECRETS, "payments");
      await api.replace("replaced when it is gone", SECRETS, "payments", changed);
    },
  },
  {
    name: "a Secret's merge patches",
    async play(api) {
      const made = await api.create("made", SECRETS, {
        ...secret("payments", { A: base64("a"), B: base64("b") }),
        metadata: { name: "payments", annotations: { "keyturn.dev/a": "1" }, labels: { team: "shop" } },
      });
      await api.patch("one entry", SECRETS, "payments", { data: { A: base64("a2") } });
      await api.patch("one entry away", SECRETS, "payments", { data: { B: null } });
      await api.patch("nothing new", SECRETS, "payments", { data: { A: base64("a2") } });
      await api.patch("the empty patch", SECRETS, "payments", {});
      await api.patch("at the old version", SECRETS, "payments", {
        metadata: { resourceVersion: made.metadata.resourceVersion, annotations: { "keyturn.dev/b": "2" } },
      });
      const now = await api.get("read", SECRETS, "payments");
      await api.patch("at the version", SECRETS, "payments", {
        metadata: {
          resourceVersion: now.metadata.resourceVersion,
          annotations: { "keyturn.dev/a": null, "keyturn.dev/b": "2" },
        },
      });
      await api.patch("all annotations away", SECRETS, "payments", { metadata: { annotations: null } });
      await api.patch("text that is no base64", SECRETS, "payments", { data: { A: "%%%" } });
      await api.patch("plain text", SECRETS, "payments", { stringData: { C: "plain" } });
      await api.patch("another type", SECRETS, "payments", { type: "kubernetes.io/tls" });
      await api.patch("another name", SECRETS, "payments", { metadata: { name: "billing" } });
      await api.patch("where none is", SECRETS, "nobody", { data: { A: base64("a") } });
      await api.delete("deleted", SECRETS, "payments");
    },
  },
  {
    name: "what a Secret and a ConfigMap may not be",
    async play(api) {
      await api.create("a name in capitals", SECRETS, secret("Payments"));
      await api.create("no name", SECRETS, { metadata: {}, data: {} });
      await api.create("an entry with a space", SECRETS, secret("a", { "no key": base64("x") }));
      await api.create("a number for text", SECRETS, secret("a", { KEY: 5 }));
      await api.create("text that is no base64", SECRETS, secret("a", { KEY: "%%%" }));
      await api.create("TLS without a certificate", SECRETS, secret("a", {}, { type: "kubernetes.io/tls" }));
      await api.create("of another namespace", SECRETS, {
        ...secret("a"),
        metadata: { name: "a", namespace: "elsewhere" },
      });
      await api.create("a label with a space", SECRETS, {
        ...secret("a"),
        metadata: { name: "a", labels: { team: "the shop" } },
      });
      await api.create("with a version", SECRETS, {
        ...secret("a"),
        metadata: { name: "a", resourceVersion: "1" },
      });
      await api.create("over a MiB", SECRETS, secret("a", { KEY: base64("x".repeat(2 ** 20 + 1)) }));
      await api.create("a MiB", SECRETS, secret("whole", { KEY: base64("x".repeat(2 ** 20)) }));
      await api.create("annotations over 256 KiB", SECRETS, {
        ...secret("a"),
        metadata: { name: "a", annotations: { "keyturn.dev/a": "x".repeat(2 ** 18) } },
      });
      await api.create("a ConfigMap over a MiB", CONFIG_MAPS, {
        metadata: { name: "a" },
        data: { text: "x".repeat(2 ** 20 + 1) },
      });
      await api.create("a ConfigMap of a MiB", CONFIG_MAPS, {
        metadata: { name: "whole" },
        data: { text: "x".repeat(2 ** 20 - 4) },
      });
      await api.create("one entry in two places", CONFIG_MAPS, {
        metadata: { name: "a" },
        data: { text: "x" },
        binaryData: { text: base64("x") },
      });
      await api.create("over 3 MiB", CONFIG_MAPS, {
        metadata: { name: "a" },
        data: { text: "x".repeat(3 * 2 ** 20 + 1) },
      });
    },
  },
  {
    name: "immutable Secrets and ConfigMaps",
    async play(api) {
      for (const resource of [SECRETS, CONFIG_MAPS]) {
        const data = { KEY: base64("k1") };
        await api.create("made", resource, { metadata: { name: "fixed" }, data, immutable: true });
        await api.patch("its data", resource, "fixed", { data: { KEY: base64("k2") } });
        await api.patch("its mark away", resource, "fixed", { immutable: null });
        await api.patch("its annotations", resource, "fixed", { metadata: { annotations: { a: "1" } } });
        await api.delete("deleted", resource, "fixed");
      }
    },
  },
  {
    name: "deletion upon conditions, and finalizers",
    async play(api) {
      const made = await api.create("made", CONFIG_MAPS, { metadata: { name: "a" }, data: { a: "1" } });
      const { uid, resourceVersion } = made.metadata;
      const now = await api.patch("changed", CONFIG_MAPS, "a", { data: { a: "2" } });
      await api.delete("upon the old version", CONFIG_MAPS, "a", { preconditions: { resourceVersion } });
      await api.delete("upon another uid", CONFIG_MAPS, "a", {
        preconditions: { uid: "00000000-0000-0000-0000-000000000000" },
      });
      await api.delete("upon both", CONFIG_MAPS, "a", {
        preconditions: { uid, resourceVersion: now.metadata.resourceVersion },
      });
      await api.create("with a finalizer", CONFIG_MAPS, {
        metadata: { name: "b", finalizers: ["keyturn.dev/test"] },
      });
      await api.delete("deleted with a finalizer", CONFIG_MAPS, "b");
      await api.get("which is still there", CONFIG_MAPS, "b");
      await api.patch("and may be changed", CONFIG_MAPS, "b", { data: { a: "3" } });
      await api.patch("until it has none", CONFIG_MAPS, "b", { metadata: { finalizers: null } });
      await api.get("which is gone", CONFIG_MAPS, "b");
    },
  },
  {
    name: "lists, by pages and selectors",
    async play(api) {
      await api.list("none", CONFIG_MAPS, { labelSelector: "kind=page" });
      for (const name of ["a", "b", "c"]) {
        const labels = { kind: "page", letter: name };
        await api.create(name, CONFIG_MAPS, { metadata: { name, labels }, data: { name } });
      }
      const chosen = { labelSelector: "kind=page" };
      await api.list("all", CONFIG_MAPS, chosen);
      const first = await api.list("the first page", CONFIG_MAPS, { ...chosen, limit: "2" });
      await api.list("the second page", CONFIG_MAPS, {
        ...chosen,
        limit: "2",
        continue: String(first.metadata.continue),
      });
      await api.list("one by its name", CONFIG_MAPS, { fieldSelector: "metadata.name=b" });
      await api.list("two by a label", CONFIG_MAPS, { labelSelector: "letter in (a,c)" });
      await api.list("all but one", CONFIG_MAPS, { labelSelector: "kind=page,letter!=a" });
      await api.list("a selector that is none", CONFIG_MAPS, { labelSelector: "a=(b" });
      await api.list("a page that is none", CONFIG_MAPS, { limit: "2", continue: "nonsense" });
    },
  },
  {
    name: "Leases",
    async play(api) {
      const spec = {
        holderIdentity: "worker-1",
        leaseDurationSeconds: 60,
        acquireTime: "2026-11-21T03:15:00.000000Z",
        renewTime: "2026-11-21T03:15:00.000000Z",
        leaseTransitions: 1,
      };
      const made = await api.create("made", LEASES, { metadata: { name: "a" }, spec });
      await api.create("made empty", LEASES, { metadata: { name: "b" }, spec: {} });
      await api.replace("renewed", LEASES, "a", {
        ...made,
        spec: { ...spec, renewTime: "2026-11-21T03:16:00.123456Z" },
      });
      await api.replace("renewed at the old version", LEASES, "a", { ...made, spec });
      await api.replace("at no version", LEASES, "a", { metadata: { name: "a" }, spec });
      await api.create("for no time", LEASES, {
        metadata: { name: "c" },
        spec: { ...spec, leaseDurationSeconds: 0 },
      });
      await api.create("with fewer than no transitions", LEASES, {
        metadata: { name: "c" },
        spec: { ...spec, leaseTransitions: -1 },
      });
      await api.create("at no time", LEASES, {
        metadata: { name: "c" },
        spec: { ...spec, renewTime: "now" },
      });
      await api.create("at a time to the second", LEASES, {
        metadata: { name: "c" },
        spec: { ...spec, renewTime: "2026-11-21T03:15:00Z" },
      });
    },
  },
  {
    name: "a Lease is made by a replace where there is none, unless a uid says that there was",
    async play(api) {
      const spec = { holderIdentity: "worker-1", leaseDurationSeconds: 60 };
      const made = await api.replace("where none is", LEASES, "a", { metadata: { name: "a" }, spec });
      await api.replace("with a version, where none is", LEASES, "b", {
        metadata: { name: "b", resourceVersion: "1" },
        spec,
      });
      await api.delete("deleted", LEASES, "a");
      await api.replace("when it is gone", LEASES, "a", made);
      await api.patch("patched when it is gone", LEASES, "a", { spec });
    },
  },
  {
    name: "empty objects, as they are made beforehand",
    async play(api) {
      const empty = { metadata: { name: "a", labels: { "keyturn.dev/journal": "keyturn" } } };
      for (const resource of [SECRETS, CONFIG_MAPS, LEASES]) {
        const made = await api.create("made", resource, empty);
        const content =
          resource === LEASES ? { spec: { holderIdentity: "a" } } : { data: { a: base64("a") } };
        const filled = await api.replace("filled", resource, "a", { ...made, ...content });
        const bare = { metadata: filled.metadata };
        await api.replace("emptied", resource, "a", bare);
      }
    },
  },
  {
    name: "who owns which field",
    async play(api) {
      await api.create("made", SECRETS, secret("a", { A: base64("a"), B: base64("b") }));
      const others = api.as("kubectl");
      await others.patch("a value by another", SECRETS, "a", { data: { A: base64("a2") } });
      await others.patch("the same value by another", SECRETS, "a", { data: { B: base64("b") } });
      await others.patch("a label by another", SECRETS, "a", { metadata: { labels: { team: "shop" } } });
      await api.patch("the value again", SECRETS, "a", { data: { A: base64("a3") } });
      await others.patch("one away by another", SECRETS, "a", { data: { B: null } });
      await others.patch("a label away", SECRETS, "a", { metadata: { labels: null } });
    },
  },
  {
    name: "Events",
    async play(api) {
      const event = (name: string, involvedObject: Json) => ({
        metadata: { name },
        involvedObject,
        reason: "Rotated",
        message: "it was rotated",
        type: "Normal",
        source: { component: "keyturn" },
        firstTimestamp: "2026-11-21T03:15:00Z",
        lastTimestamp: "2026-11-21T03:15:00Z",
        count: 1,
      });
      const object = { apiVersion: "v1", kind: "Secret", name: "payments" };
      const made = await api.get("absent", EVENTS, "a");
      await api.create("of no namespace", EVENTS, event("a", object));
      await api.create("of another namespace", EVENTS, event("b", { ...object, namespace: "elsewhere" }));
      await api.replace("replaced where none is", EVENTS, "c", {
        ...event("c", object),
        metadata: made.metadata,
      });
    },
  },
  {
    name: "a Deployment's generation, template and selector",
    async play(api) {
      await api.create(
        "whose selector misses its template",
        DEPLOYMENTS,
        deployment("web", { app: "other" }),
      );
      await api.create("of minus one pod", DEPLOYMENTS, {
        ...deployment("web"),
        spec: { ...deployment("web").spec, replicas: -1 },
      });
      const made = await api.create("paused, of none", DEPLOYMENTS, {
        ...deployment("web"),
        spec: { ...deployment("web").spec, paused: true },
      });
      await api.patch("an annotation of it", DEPLOYMENTS, "web", {
        metadata: { annotations: { "keyturn.dev/a": "1" } },
      });
      const stamp = { template: { metadata: { annotations: { "keyturn.dev/rotation": "r1" } } } };
      await api.patch("an annotation of its template", DEPLOYMENTS, "web", { spec: stamp });
      await api.patch("the same again", DEPLOYMENTS, "web", { spec: stamp });
      await api.patch("at the old version", DEPLOYMENTS, "web", {
        metadata: { resourceVersion: made.metadata.resourceVersion },
        spec: { paused: false },
      });
      await api.patch("its status, not as such", DEPLOYMENTS, "web", { status: { observedGeneration: 99 } });
      await api.patch("its selector", DEPLOYMENTS, "web", {
        spec: { selector: { matchLabels: { app: "web", tier: "front" } } },
      });
      await api.patch("its generation", DEPLOYMENTS, "web", { metadata: { generation: 99 } });
      await api.get("read", DEPLOYMENTS, "nobody");
      await api.patch("where none is", DEPLOYMENTS, "nobody", { spec: { paused: false } });
    },
  },
  {
    name: "a ReplicaSet of no Deployment",
    async play(api) {
      await api.create("of too little", REPLICA_SETS, { metadata: { name: "web" }, spec: {} });
    },
  },
  {
    name: "Pods",
    async play(api) {
      await api.create("on a node", PODS, pod("bound", "node-1"));
      await api.patch("its status", PODS, "bound/status", {
        status: { phase: "Running", podIP: "10.0.0.7", podIPs: [{ ip: "10.0.0.7" }] },
      });
      await api.patch("its status, not as such", PODS, "bound", { status: { phase: "Failed" } });
      await api.patch("its label", PODS, "bound", { metadata: { labels: { app: null } } });
      await api.patch("its node", PODS, "bound", { spec: { nodeName: "node-2" } });
      await api.delete("asked to end", PODS, "bound");
      await api.get("which is ending", PODS, "bound");
      await api.delete("ended", PODS, "bound", { gracePeriodSeconds: 0 });
      await api.get("which is gone", PODS, "bound");
      await api.create("on no node", PODS, pod("pending"));
      await api.delete("deleted at once", PODS, "pending");
    },
  },
  {
    name: "ExternalSecrets",
    async play(api) {
      const spec = {
        refreshInterval: "1h",
        secretStoreRef: { name: "vault", kind: "SecretStore" },
        target: { name: "payments" },
        data: [{ secretKey: "KEY", remoteRef: { key: "payments" } }],
      };
      await api.get("absent", EXTERNAL_SECRETS, "payments");
      await api.create("made", EXTERNAL_SECRETS, { metadata: { name: "payments" }, spec });
      await api.patch("asked to refresh", EXTERNAL_SECRETS, "payments", {
        metadata: { annotations: { "force-sync": "1" } },
      });
      await api.patch("its status", EXTERNAL_SECRETS, "payments/status", {
        status: {
          refreshTime: "2026-11-21T03:15:00Z",
          conditions: [
            {
              type: "Ready",
              status: "True",
              reason: "SecretSynced",
              lastTransitionTime: "2026-11-21T03:15:00Z",
            },
          ],
        },
      });
      await api.patch("its status, not as such", EXTERNAL_SECRETS, "payments", {
        status: { refreshTime: null },
      });
      await api.patch("its spec", EXTERNAL_SECRETS, "payments", { spec: { refreshInterval: "2h" } });
      await api.patch("where none is", EXTERNAL_SECRETS, "nobody", { metadata: { annotations: { a: "1" } } });
      await api.list("all", EXTERNAL_SECRETS);
    },
  },
];
