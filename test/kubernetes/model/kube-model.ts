import {
  type KubeAnswer,
  type KubeObject,
  type KubeRequest,
  type KubeResource,
  type KubeSend,
  PODS,
} from "../../../src/kubernetes/api.ts";
import { type Clock, systemClock } from "../../../src/lib/clock.ts";
import { RotationError } from "../../../src/lib/errors.ts";
import { Access, type AccessRule } from "./access.ts";
import { ApiHandler } from "./api-handler.ts";
import { type CallMatch, type Effect, type Interposer, type ModelCall, matches } from "./faults.ts";
import { at, copy } from "./json.ts";
import { apiVersionOf, kindOf } from "./kinds.ts";
import { type KubeImage, ObjectStore } from "./object-store.ts";
import { notFound } from "./refusal.ts";
import { parseRequest } from "./request.ts";

export type { KubeImage } from "./object-store.ts";

export const WORKER = "system:serviceaccount:keyturn:keyturn";

/**
 * The API server in memory, as strict as the real one in what keyturn uses. Each call is handled at
 * one instant; `interpose` and `once` put faults, delays and other people's writes around it.
 * What it does not model (watch, server-side apply, JSON patch) throws an Error that is no answer.
 */
export class KubeModel {
  /** The worker's own calls. */
  readonly send: KubeSend;
  /** Every call that came in, in order, without what it bore; to be emptied by whoever reads it. */
  readonly calls: Omit<ModelCall, "request">[] = [];
  readonly clock: Clock;
  readonly access: Access;
  /** Of the API server's clock, less ours, in milliseconds. */
  clockError = 0;
  /** Told of every call that has been carried out, at that instant, whatever becomes of its answer. */
  landed: (call: ModelCall) => void = () => {};
  readonly #store: ObjectStore;
  readonly #handler: ApiHandler;
  readonly #interposers: Interposer[] = [];

  /** `image`: as it once was. `uidOf`: the uid that an object of a name gets, in place of one of its own. */
  constructor(options: { clock?: Clock; image?: KubeImage; uidOf?: (name: string) => string } = {}) {
    this.clock = options.clock ?? systemClock;
    const now = () => this.clock.now() + this.clockError;
    this.access = new Access(WORKER);
    this.#store = new ObjectStore({ now, image: options.image, uidOf: options.uidOf });
    this.#handler = new ApiHandler(this.#store, this.access, now);
    this.send = this.as(WORKER);
  }

  /** Objects in a list's page whatever limit is asked for. */
  set largestPage(count: number) {
    this.#handler.largestPage = count;
  }

  /** The calls of another user, who appears in managedFields as `manager`. */
  as(user: string, manager = user): KubeSend {
    return (request) => this.answer(request, user, manager);
  }

  /** Answers one call; throws RotationError where a fault cuts it off. */
  async answer(request: KubeRequest, user = WORKER, manager = user): Promise<KubeAnswer> {
    const asked = parseRequest(request);
    const call: ModelCall = {
      user,
      verb: asked.verb,
      resource: asked.plural,
      namespace: asked.namespace,
      name: asked.name || (at(request.body, "metadata", "name") as string | undefined) || "",
      // As it was sent: it may land when its sender has gone on.
      request: copy({ ...request, signal: undefined }),
    };
    if (request.signal?.aborted) throw new RotationError("unclear", "the call was stopped");
    const { request: _, ...kept } = call;
    this.calls.push(kept);
    const handle = () => {
      const answer = this.#handler.handle(call.request, asked, user, manager);
      if (answer.status < 300) this.landed(call);
      return answer;
    };
    return this.#interposers.reduceRight<() => KubeAnswer | Promise<KubeAnswer>>(
      (inner, interposer) => () => interposer(call, inner),
      handle,
    )();
  }

  /** Puts something around every call, outermost first; gives what takes it away again. */
  interpose(interposer: Interposer): () => void {
    this.#interposers.push(interposer);
    return () => {
      const index = this.#interposers.indexOf(interposer);
      if (index >= 0) this.#interposers.splice(index, 1);
    };
  }

  /** The same around the next call that matches, or the next few. */
  once(match: CallMatch, effect: Effect, times = 1): void {
    let left = times;
    const remove = this.interpose((call, proceed) => {
      if (left === 0 || !matches(match, call)) return proceed();
      left--;
      if (left === 0) remove();
      return effect(proceed, call);
    });
  }

  allow(...rules: AccessRule[]): void {
    this.access.allow(...rules);
  }

  deny(...rules: AccessRule[]): void {
    this.access.deny(...rules);
  }

  /** The cluster has no such custom kind; takes its objects with it. */
  withoutKind(resource: KubeResource): void {
    this.#handler.withoutKind(resource);
    this.#store.drop(resource);
  }

  /** Every other namespace exists. */
  withoutNamespace(namespace: string): void {
    this.#store.withoutNamespace(namespace);
  }

  /** What continues a list is from now on too old, as after five minutes. */
  expirePages(): void {
    this.#handler.pages.expire();
  }

  /** What is there now, without a call. */
  find<T extends KubeObject>(resource: KubeResource, namespace: string, name: string): T | undefined {
    return copy(this.#store.find(resource, namespace, name)) as T | undefined;
  }

  all<T extends KubeObject>(resource: KubeResource, namespace: string): T[] {
    return copy(this.#store.all(resource, namespace)) as T[];
  }

  /** For a model that is to be as this one is now. */
  image(): KubeImage {
    return this.#store.image();
  }

  /** As somebody else, without a call and without faults: makes an object, or replaces it whole. */
  put<T extends KubeObject>(resource: KubeResource, namespace: string, object: T, manager = "kubectl"): T {
    const kind = kindOf(resource);
    const body = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
    const before = this.#store.find(resource, namespace, object.metadata.name);
    return copy(
      before
        ? this.#store.update(kind, before, body, { manager })
        : this.#store.create(kind, namespace, body, manager),
    ) as T;
  }

  /** The same by changing what is there; `status` alone when `subresource` says so. Throws when it is absent. */
  edit<T extends KubeObject>(
    resource: KubeResource,
    namespace: string,
    name: string,
    change: (object: T) => void,
    { manager = "kubectl", subresource }: { manager?: string; subresource?: "status" } = {},
  ): T {
    const kind = kindOf(resource);
    const before = this.#store.find(resource, namespace, name);
    if (!before) throw notFound(kind, name);
    const draft = copy(before) as T;
    change(draft);
    return copy(this.#store.update(kind, before, draft, { manager, subresource })) as T;
  }

  /** As somebody else: deletes it as a call does, a pod with its grace. */
  remove(resource: KubeResource, namespace: string, name: string): void {
    const kind = kindOf(resource);
    const found = this.#store.find(resource, namespace, name);
    if (found) this.#store.delete(kind, found, {});
  }

  /** A terminating pod is gone at last. */
  finish({ metadata: { namespace = "", name } }: KubeObject): void {
    this.#store.erase(PODS, namespace, name);
  }
}
