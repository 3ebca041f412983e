import { RotationError } from "../lib/errors.ts";
import type { KubeAccess, KubeAnswer, KubeApi, KubeCluster, KubeObject, KubeRequest } from "./api.ts";
import { type KubeCall, pathOf, said } from "./call.ts";
import { type RepeatParts, type RepeatRead, repeatReads } from "./repeat-reads.ts";
import { statusError } from "./status-error.ts";
import { walkList } from "./walk-list.ts";

/** Who we are in `metadata.managedFields`. */
export const FIELD_MANAGER = "keyturn";

/**
 * The calls of {@link KubeApi} on the cluster that `connect` gives. It is called when something is
 * first asked, once; after a failure again. Reads are repeated on weather and the clocks are
 * compared only where `outside` gives a clock and randomness; no write is ever repeated.
 */
export function kubeApi(connect: () => Promise<KubeCluster>, outside?: RepeatParts): KubeApi {
  const repeat: RepeatRead = outside ? repeatReads(outside) : (read) => read();
  let connecting: Promise<KubeCluster> | undefined;
  let skew: number | undefined;

  const cluster = () => {
    connecting ??= connect().catch((cause) => {
      connecting = undefined;
      throw cause;
    });
    return connecting;
  };
  const ask = async (call: KubeCall, request: KubeRequest): Promise<KubeAnswer> => {
    const { send } = await cluster();
    const answer = await send(request).catch((thrown) => {
      throw withCall(call, thrown);
    });
    const date = Date.parse(answer.headers.date ?? "");
    if (outside && !Number.isNaN(date)) skew = date - outside.clock.now();
    if (answer.status < 200 || answer.status >= 300) throw statusError(call, answer);
    return answer;
  };
  const write = (
    call: KubeCall,
    request: Pick<KubeRequest, "method" | "path" | "body" | "contentType" | "query">,
  ) => ask(call, { ...request, query: { fieldManager: FIELD_MANAGER, ...request.query } });

  return {
    async cluster() {
      const { namespace, name } = await cluster();
      return { namespace, name };
    },

    async get<T extends KubeObject>(...[resource, namespace, name, signal]: Parameters<KubeApi["get"]>) {
      const call: KubeCall = { verb: "get", resource, namespace, name };
      const path = pathOf(resource, namespace, name);
      try {
        const answer = await repeat(() => ask(call, { method: "GET", path, signal }), signal);
        return objectOf<T>(call, answer);
      } catch (thrown) {
        if (thrown instanceof RotationError && thrown.code === "absent") return undefined;
        throw thrown;
      }
    },

    list<T extends KubeObject>(...[resource, namespace, options = {}]: Parameters<KubeApi["list"]>) {
      const call: KubeCall = { verb: "list", resource, namespace };
      const { labelSelector, fieldSelector, signal } = options;
      const chosen = { ...(labelSelector && { labelSelector }), ...(fieldSelector && { fieldSelector }) };
      const path = pathOf(resource, namespace);
      return walkList<T>(said(call), (page) =>
        repeat(() => ask(call, { method: "GET", path, query: { ...chosen, ...page }, signal }), signal),
      );
    },

    async create(resource, namespace, object) {
      const call: KubeCall = { verb: "create", resource, namespace, name: object.metadata.name };
      const path = pathOf(resource, namespace);
      return objectOf(call, await write(call, { method: "POST", path, body: typed(resource, object) }));
    },

    async replace(resource, namespace, object, { dryRun } = { dryRun: false }) {
      const { name, resourceVersion } = object.metadata;
      const call: KubeCall = { verb: "update", resource, namespace, name };
      if (!resourceVersion) {
        throw new RotationError("internal", `cannot ${said(call)}: it was read at no resourceVersion`);
      }
      const path = pathOf(resource, namespace, name);
      const put = { method: "PUT", path, body: typed(resource, object) } as const;
      return objectOf(call, await write(call, dryRun ? { ...put, query: { dryRun: "All" } } : put));
    },

    async patch(resource, namespace, name, patch) {
      const call: KubeCall = { verb: "patch", resource, namespace, name };
      const path = pathOf(resource, namespace, name);
      const contentType = "application/merge-patch+json";
      return objectOf(call, await write(call, { method: "PATCH", path, body: patch, contentType }));
    },

    async delete(resource, namespace, name, preconditions) {
      const call: KubeCall = { verb: "delete", resource, namespace, name };
      const body = {
        apiVersion: "v1",
        kind: "DeleteOptions",
        ...(preconditions && { preconditions }),
      };
      try {
        await ask(call, { method: "DELETE", path: pathOf(resource, namespace, name), body });
      } catch (thrown) {
        if (!(thrown instanceof RotationError && thrown.code === "absent")) throw thrown;
      }
    },

    async may(access) {
      const call: KubeCall = { verb: "create", resource: ACCESS_REVIEWS, namespace: access.namespace };
      const request: KubeRequest = {
        method: "POST",
        path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
        body: accessReview(access),
      };
      return verdictOf(call, await repeat(() => ask(call, request)));
    },

    skewMs: () => skew,
  };
}

const ACCESS_REVIEWS = {
  group: "authorization.k8s.io",
  version: "v1",
  plural: "selfsubjectaccessreviews",
  kind: "SelfSubjectAccessReview",
};

function accessReview({ verb, resource: { group, version, plural }, namespace, name }: KubeAccess) {
  return {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: {
      resourceAttributes: { namespace, verb, group, version, resource: plural, ...(name && { name }) },
    },
  };
}

function verdictOf(call: KubeCall, { body, status }: KubeAnswer): { allowed: boolean; why?: string } {
  const verdict = (body as { status?: Record<string, unknown> } | undefined)?.status;
  if (typeof verdict?.allowed !== "boolean") {
    throw new RotationError("malformed", `cannot ${said(call)}: the answer holds no verdict`, { status });
  }
  const why = [verdict.reason, verdict.evaluationError].find(
    (text) => typeof text === "string" && text !== "",
  );
  return { allowed: verdict.allowed, ...(why === undefined ? {} : { why: String(why) }) };
}

/** As the API takes it: with the type, which objects out of lists lack. */
function typed<T extends KubeObject>({ group, version, kind }: KubeCall["resource"], object: T): T {
  return { ...object, apiVersion: group === "" ? version : `${group}/${version}`, kind };
}

function objectOf<T extends KubeObject>(call: KubeCall, { body, status }: KubeAnswer): T {
  const { kind, metadata } = (body ?? {}) as Partial<KubeObject>;
  if (kind !== call.resource.kind || metadata?.name !== call.name || !metadata?.resourceVersion) {
    throw new RotationError("malformed", `cannot ${said(call)}: the answer is not that object`, { status });
  }
  return body as T;
}

/** An error of the wire, with what was asked. */
function withCall(call: KubeCall, thrown: unknown): unknown {
  if (!(thrown instanceof RotationError)) return thrown;
  const { code, hint, retryAfterMs, status, cause } = thrown;
  return new RotationError(code, `cannot ${said(call)}: ${thrown.message}`, {
    ...(hint === undefined ? {} : { hint }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(status === undefined ? {} : { status }),
    cause,
  });
}
