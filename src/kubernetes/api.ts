/** One call of the Kubernetes API, as it goes over the wire. */
export interface KubeRequest {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root: `/api/v1/namespaces/shop/secrets/payments`. */
  path: string;
  query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  body?: unknown;
  /** Of the body; `application/json` when left out, `application/merge-patch+json` for a patch. */
  contentType?: string;
  signal?: AbortSignal | undefined;
}

export interface KubeAnswer {
  status: number;
  /** Parsed JSON; the text itself when it is none, undefined when it is empty. */
  body: unknown;
  /** With lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
}

/** Makes one call and no second try. Throws RotationError `unreachable` (nothing went out) or `unclear` (no answer, or one cut off). */
export type KubeSend = (request: KubeRequest) => Promise<KubeAnswer>;

/** A cluster as in-cluster credentials or a kubeconfig name it. */
export interface KubeCluster {
  send: KubeSend;
  /** The namespace of the pod, or of the kubeconfig's context; `default` when neither says one. */
  namespace: string;
  /** For messages: `in-cluster`, or the name of the context. */
  name: string;
}

/** What every object of the API has; `apiVersion` and `kind` are missing inside lists. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: KubeMetadata;
}

export interface KubeMetadata {
  name: string;
  namespace?: string;
  uid?: string;
  /** Opaque: only to be compared for equality. */
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  /** RFC 3339, to the second, by the API server's clock. */
  creationTimestamp?: string;
  deletionTimestamp?: string;
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string; controller?: boolean }[];
  managedFields?: {
    manager?: string;
    operation?: string;
    time?: string;
    fieldsV1?: Record<string, unknown>;
  }[];
  finalizers?: string[];
}

/** A kind of object: where the API keeps it. */
export interface KubeResource {
  /** Empty for the core group. */
  group: string;
  version: string;
  /** In the plural, as in a path: `secrets`. */
  plural: string;
  kind: string;
}

export const SECRETS: KubeResource = { group: "", version: "v1", plural: "secrets", kind: "Secret" };
export const CONFIG_MAPS: KubeResource = {
  group: "",
  version: "v1",
  plural: "configmaps",
  kind: "ConfigMap",
};
export const PODS: KubeResource = { group: "", version: "v1", plural: "pods", kind: "Pod" };
export const EVENTS: KubeResource = { group: "", version: "v1", plural: "events", kind: "Event" };
export const LEASES: KubeResource = {
  group: "coordination.k8s.io",
  version: "v1",
  plural: "leases",
  kind: "Lease",
};
export const DEPLOYMENTS: KubeResource = {
  group: "apps",
  version: "v1",
  plural: "deployments",
  kind: "Deployment",
};
export const STATEFUL_SETS: KubeResource = {
  group: "apps",
  version: "v1",
  plural: "statefulsets",
  kind: "StatefulSet",
};
export const DAEMON_SETS: KubeResource = {
  group: "apps",
  version: "v1",
  plural: "daemonsets",
  kind: "DaemonSet",
};
export const REPLICA_SETS: KubeResource = {
  group: "apps",
  version: "v1",
  plural: "replicasets",
  kind: "ReplicaSet",
};
export const CONTROLLER_REVISIONS: KubeResource = {
  group: "apps",
  version: "v1",
  plural: "controllerrevisions",
  kind: "ControllerRevision",
};
export const EXTERNAL_SECRETS: KubeResource = {
  group: "external-secrets.io",
  version: "v1",
  plural: "externalsecrets",
  kind: "ExternalSecret",
};

export interface KubeList<T extends KubeObject> {
  items: T[];
  resourceVersion: string;
}

/** What an access is asked for: may we do this there? */
export interface KubeAccess {
  verb: "get" | "list" | "watch" | "create" | "update" | "patch" | "delete";
  resource: KubeResource;
  namespace: string;
  /** One object; every object of the kind when left out. */
  name?: string;
}

/**
 * The few calls that keyturn makes, on objects as the API gives them. Every method throws
 * RotationError, whose message names verb, kind, name and namespace: `unauthorized` (401, an expired
 * token), `forbidden` (403, with the verb and resource to allow), `conflict` (409: another
 * resourceVersion, or it exists already), `rejected` (400, 422), `throttled`, `unreachable`,
 * `unclear` (504, 5xx, cut off), `malformed`. Absent is `undefined` for a read by name only;
 * a kind that the API does not know is `unusable`. Reads are consistent: no resourceVersion is sent.
 */
export interface KubeApi {
  /** Which cluster this is; connects when nothing has been asked yet. `unusable` when there is none to connect to. */
  cluster(): Promise<Pick<KubeCluster, "namespace" | "name">>;
  get<T extends KubeObject>(
    resource: KubeResource,
    namespace: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<T | undefined>;
  /** Every object, all pages. */
  list<T extends KubeObject>(
    resource: KubeResource,
    namespace: string,
    options?: { labelSelector?: string; fieldSelector?: string; signal?: AbortSignal },
  ): Promise<KubeList<T>>;
  /** `conflict` when there is one of that name. */
  create<T extends KubeObject>(resource: KubeResource, namespace: string, object: T): Promise<T>;
  /**
   * Writes the whole object over the version that it was read at: `metadata.resourceVersion` is required.
   * `absent` when it is gone. With `dryRun` the API server checks all of that and writes nothing.
   */
  replace<T extends KubeObject>(
    resource: KubeResource,
    namespace: string,
    object: T,
    options?: { dryRun: boolean },
  ): Promise<T>;
  /** A JSON merge patch; with `metadata.resourceVersion` in it, only upon that version. `absent` when it is gone. */
  patch<T extends KubeObject>(
    resource: KubeResource,
    namespace: string,
    name: string,
    patch: object,
  ): Promise<T>;
  /** Only upon the version given, if one is. Absent is done. */
  delete(
    resource: KubeResource,
    namespace: string,
    name: string,
    preconditions?: { uid?: string; resourceVersion?: string },
  ): Promise<void>;
  /** Whether we may, by a SelfSubjectAccessReview; `why` is the server's reason, if it gives one. */
  may(access: KubeAccess): Promise<{ allowed: boolean; why?: string }>;
  /** The API server's clock less ours in milliseconds, by the Date header of the last answer (to the second); undefined before there is one. */
  skewMs(): number | undefined;
}
