import type { KubeAnswer, KubeObject, KubeRequest, KubeResource } from "../../../src/kubernetes/api.ts";
import type { Access } from "./access.ts";
import { decodeObject, decodePatched } from "./decode-object.ts";
import { at, copy, isObject, type Json, mergePatch } from "./json.ts";
import { apiVersionOf, KINDS, type Kind } from "./kinds.ts";
import { ObjectStore, wrongUid } from "./object-store.ts";
import { Pages } from "./pages.ts";
import { badRequest, forbidden, invalid, notFound, Refusal, unauthorized } from "./refusal.ts";
import type { Asked } from "./request.ts";
import { fieldMatcher, labelMatcher, nameAskedFor } from "./selectors.ts";

const BODY_LIMIT = 3 * 1024 * 1024;

/** What the API server does with a request, at one instant. */
export class ApiHandler {
  /** Objects in a list's page whatever limit is asked for. */
  largestPage = Number.POSITIVE_INFINITY;
  readonly pages = new Pages();
  readonly #store: ObjectStore;
  readonly #access: Access;
  readonly #now: () => number;
  readonly #missingKinds = new Set<string>();

  constructor(store: ObjectStore, access: Access, now: () => number) {
    this.#store = store;
    this.#access = access;
    this.#now = now;
  }

  withoutKind({ group, plural }: KubeResource): void {
    this.#missingKinds.add(`${group}/${plural}`);
  }

  /** Never throws a Refusal: it becomes the answer. */
  handle(request: KubeRequest, asked: Asked, user: string, manager: string): KubeAnswer {
    try {
      const answer = this.#route(request, asked, user, request.query?.fieldManager ?? manager);
      return this.#stamped(answer);
    } catch (thrown) {
      if (thrown instanceof Refusal) return this.#stamped(thrown.answer);
      throw thrown;
    }
  }

  #stamped({ status, body, headers }: KubeAnswer): KubeAnswer {
    const type = typeof body === "string" ? "text/plain; charset=utf-8" : "application/json";
    const date = new Date(this.#now()).toUTCString();
    return { status, body: copy(body), headers: { date, "content-type": type, ...headers } };
  }

  #route(request: KubeRequest, asked: Asked, user: string, manager: string): KubeAnswer {
    if (this.#access.isRefused(user)) throw unauthorized();
    if (asked.plural === "selfsubjectaccessreviews") return this.#review(request.body, user);
    const resource = asked.plural + (asked.subresource && `/${asked.subresource}`);
    const selected = asked.verb === "list" ? nameAskedFor(request.query?.fieldSelector ?? "") : undefined;
    const attributes = { ...asked, user, resource, name: asked.name || (selected ?? "") };
    if (!this.#access.allows(attributes)) throw forbidden({ ...attributes, plural: resource });
    const kind = KINDS.find(({ group, version, plural }) => {
      return group === asked.group && version === asked.version && plural === asked.plural;
    });
    if (!kind || this.#missingKinds.has(`${kind.group}/${kind.plural}`)) return pageNotFound();
    if (asked.subresource && !(asked.subresource === "status" && kind.status)) return pageNotFound();
    const size = request.body === undefined ? 0 : Buffer.byteLength(JSON.stringify(request.body));
    if (size > BODY_LIMIT) {
      throw new Refusal(413, "RequestEntityTooLarge", `Request entity too large: limit is ${BODY_LIMIT}`);
    }
    if (asked.verb === "create") {
      if (asked.name !== "") throw methodNotAllowed();
      const object = decodeObject(kind, request.body, asked.namespace);
      return { status: 201, body: this.#store.create(kind, asked.namespace, object, manager), headers: {} };
    }
    if (asked.verb === "list") return this.#list(kind, asked.namespace, request.query ?? {});
    if (asked.name === "") throw methodNotAllowed();
    const found = this.#store.find(kind, asked.namespace, asked.name);
    if (asked.verb === "update") {
      const dry = request.query?.dryRun === "All";
      const store = dry ? new ObjectStore({ now: this.#now, image: this.#store.image() }) : this.#store;
      return this.#put(store, kind, asked, found, request.body, user, manager);
    }
    if (!found) throw notFound(kind, asked.name);
    if (asked.verb === "get") return { status: 200, body: found, headers: {} };
    if (asked.verb === "delete") return this.#store.delete(kind, found, request.body);
    return this.#patch(kind, asked, found, request, manager);
  }

  #put(
    store: ObjectStore,
    kind: Kind,
    asked: Asked,
    found: KubeObject | undefined,
    body: unknown,
    user: string,
    manager: string,
  ): KubeAnswer {
    const object = decodeObject(kind, body, asked.namespace);
    const { name, uid } = object.metadata;
    if (!name) {
      throw badRequest(
        `the name of the object (${asked.name} based on URL) was undeterminable: name must be provided`,
      );
    }
    if (name !== asked.name) {
      throw badRequest(`the name of the object (${name}) does not match the name on the URL (${asked.name})`);
    }
    if (found) {
      const subresource = asked.subresource || undefined;
      return {
        status: 200,
        body: store.update(kind, found, object, { manager, subresource }),
        headers: {},
      };
    }
    if (!kind.createOnUpdate || asked.subresource) throw notFound(kind, asked.name);
    if (uid) throw wrongUid(kind, asked.namespace, asked.name, uid, "");
    const attributes = { ...asked, user, verb: "create", resource: asked.plural, name: "" };
    if (!this.#access.allows(attributes)) throw forbidden(attributes);
    const fresh = { ...object, metadata: { ...object.metadata, resourceVersion: undefined } };
    return {
      status: 201,
      body: store.create(kind, asked.namespace, fresh as KubeObject, manager),
      headers: {},
    };
  }

  #patch(kind: Kind, asked: Asked, found: KubeObject, request: KubeRequest, manager: string): KubeAnswer {
    const type = request.contentType ?? "application/merge-patch+json";
    if (/json-patch|strategic-merge|apply-patch/.test(type)) throw new Error(`the model knows no ${type}`);
    if (type !== "application/merge-patch+json") {
      const message = `the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml`;
      throw new Refusal(415, "UnsupportedMediaType", message);
    }
    if (!isObject(request.body)) throw badRequest("error decoding patch: json: cannot unmarshal into map");
    const patched = mergePatch(found, request.body) as Json;
    const object = decodePatched(kind, patched, asked.namespace);
    if (object.metadata.name !== asked.name) {
      throw badRequest(
        `the name of the object (${object.metadata.name}) does not match the name on the URL (${asked.name})`,
      );
    }
    const subresource = asked.subresource || undefined;
    return {
      status: 200,
      body: this.#store.update(kind, found, object, { manager, subresource }),
      headers: {},
    };
  }

  #list(kind: Kind, namespace: string, query: Readonly<Record<string, string>>): KubeAnswer {
    if (query.watch !== undefined) throw new Error("the model knows no watch");
    const byLabel = labelMatcher(query.labelSelector ?? "");
    const byField = fieldMatcher(kind.plural, query.fieldSelector ?? "");
    const chosen = () =>
      this.#store
        .all(kind, namespace)
        .filter((object) => byLabel(object) && byField(object))
        .map(({ apiVersion, kind: name, ...object }) =>
          kind.custom ? { apiVersion, kind: name, ...object } : object,
        );
    const limit = Math.min(Number(query.limit ?? "0") || Number.POSITIVE_INFINITY, this.largestPage);
    const selected = Boolean(query.labelSelector || query.fieldSelector);
    const page = this.pages.read(chosen, this.#store.version, limit, query.continue, selected);
    const body = {
      kind: `${kind.kind}List`,
      apiVersion: apiVersionOf(kind),
      metadata: page.metadata,
      items: page.items,
    };
    return { status: 200, body, headers: {} };
  }

  #review(body: unknown, user: string): KubeAnswer {
    const wanted = at(body, "spec", "resourceAttributes");
    if (!isObject(wanted)) {
      const says = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
      const kind = {
        group: "authorization.k8s.io",
        plural: "selfsubjectaccessreviews",
        kind: "SelfSubjectAccessReview",
      };
      throw invalid(kind, "", [
        { field: "spec.resourceAttributes", type: "Invalid value", value: null, says },
      ]);
    }
    const text = (name: string) => String(wanted[name] ?? "");
    const resource = text("resource") + (wanted.subresource ? `/${text("subresource")}` : "");
    const allowed = this.#access.allows({
      user,
      verb: text("verb"),
      group: text("group"),
      resource,
      namespace: text("namespace"),
      name: text("name"),
    });
    const reason = 'RBAC: allowed by RoleBinding "keyturn/keyturn" of Role "keyturn"';
    const status = { allowed, ...(allowed && { reason }) };
    return { status: 201, body: { ...(body as Json), metadata: {}, status }, headers: {} };
  }
}

function pageNotFound(): KubeAnswer {
  return { status: 404, body: "404 page not found\n", headers: {} };
}

function methodNotAllowed(): Refusal {
  const message = "the server does not allow this method on the requested resource";
  return new Refusal(405, "MethodNotAllowed", message);
}
