import { EVENTS, type KubeSend, SECRETS } from "../../src/kubernetes/api.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { companionName } from "../../src/stores/kubernetes/names.ts";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import type { Effect, ModelCall } from "../kubernetes/model/faults.ts";
import { KubeModel } from "../kubernetes/model/kube-model.ts";
import type { SimProcess } from "./process.ts";

/** Where the Secrets are that consumers use. */
export const SHOP = "shop";
/** Where the journals are. */
export const HOME = "keyturn";

/** Told of each Secret and ConfigMap that a process has changed, at that instant. */
export type Watcher = (process: SimProcess, resource: string, name: string) => void;

/** A Kubernetes cluster: what keyturn asks of its API server, and what people do to its objects. */
export class Cluster {
  readonly model: KubeModel;
  watcher: Watcher = () => {};
  readonly #callers = new Map<string, SimProcess>();
  readonly #texts = new Map<string, string | undefined>();
  #undo: (() => void)[] = [];
  #uids = 0;

  constructor(clock: Clock) {
    this.model = new KubeModel({
      clock,
      uidOf: () => {
        this.#uids += 1;
        return `uid-${this.#uids}`;
      },
    });
    this.model.landed = (call) => this.#landed(call);
  }

  /** What one process sends arrives as a user of its own. */
  sendOf(process: SimProcess): KubeSend {
    const user = `${process.name} ${this.#callers.size}`;
    this.#callers.set(user, process);
    return (request) => this.model.answer(request, user, "keyturn");
  }

  /** Every process that has reached the API server so far, as it knows them. */
  get users(): string[] {
    return [...this.#callers.keys()];
  }

  /** The entries of a Secret as a JSON object; undefined where there are none. */
  text(secret: string): string | undefined {
    if (!this.#texts.has(secret)) {
      const entries = decoded(this.#find(secret));
      this.#texts.set(secret, Object.keys(entries).length === 0 ? undefined : JSON.stringify(entries));
    }
    return this.#texts.get(secret);
  }

  /** A person applies a Secret with these entries. */
  write(secret: string, text: string): void {
    const entries = Object.entries(JSON.parse(text) as Record<string, string>);
    const data = Object.fromEntries(
      entries.map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
    );
    const before = this.#find(secret);
    this.model.put<KubeSecret>(SECRETS, SHOP, {
      ...(before ?? { type: "Opaque" }),
      metadata: before?.metadata ?? { name: secret },
      data,
    });
    this.#texts.clear();
  }

  /** Another controller changes what is nobody's business here. */
  label(secret: string, value: string): void {
    if (this.#find(secret) === undefined) return;
    this.model.edit<KubeSecret>(SECRETS, SHOP, secret, ({ metadata }) => {
      metadata.labels = { ...metadata.labels, "example.com/seen": value };
    });
  }

  /** A person deletes a Secret and makes it anew, with the same entries. */
  makeAnew(secret: string): void {
    const before = this.#find(secret);
    if (before === undefined) return;
    this.model.remove(SECRETS, SHOP, secret);
    this.model.put<KubeSecret>(SECRETS, SHOP, {
      metadata: { name: secret },
      type: "Opaque",
      ...(before.data ? { data: before.data } : {}),
    });
    this.#texts.clear();
  }

  /** Every value that a Secret and its companion hold, as text. */
  stored(secret: string): string {
    return JSON.stringify([decoded(this.#find(secret)), this.#versions(secret)]);
  }

  /** How many versions a companion holds that were never current. */
  staged(secret: string): number {
    const { versions = [] } = JSON.parse(this.#versions(secret)) as { versions?: { staged?: object }[] };
    return versions.filter(({ staged }) => staged !== undefined).length;
  }

  /** The same trouble with the next few calls like that. */
  trouble(match: { verb: string; resource: string }, effect: Effect, times: number): void {
    let left = times;
    this.#interpose((call, proceed) => {
      if (left === 0 || match.verb !== call.verb || match.resource !== call.resource) return proceed();
      left -= 1;
      return effect(proceed, call);
    });
  }

  /** Nobody reaches the API server; gives what ends that. */
  down(): () => void {
    return this.#interpose(() => {
      throw new RotationError("unreachable", "no connection to the API server (ECONNREFUSED)");
    });
  }

  /** No more troubles. */
  calm(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.model.access.lift();
    for (const user of this.users) this.model.access.accept(user);
  }

  #interpose(interposer: Parameters<KubeModel["interpose"]>[0]): () => void {
    const undo = this.model.interpose(interposer);
    this.#undo.push(undo);
    return undo;
  }

  #landed({ user, verb, resource, namespace, name }: ModelCall): void {
    this.model.calls.length = 0;
    if (verb === "get" || verb === "list") return;
    if (resource === SECRETS.plural) this.#texts.clear();
    // Nobody reads them, and a cluster drops them after an hour.
    if (resource === EVENTS.plural)
      for (const { metadata } of this.model.all(EVENTS, namespace))
        this.model.remove(EVENTS, namespace, metadata.name);
    const process = this.#callers.get(user);
    if (process) this.watcher(process, resource, name);
  }

  #find(secret: string): KubeSecret | undefined {
    return this.model.find<KubeSecret>(SECRETS, SHOP, secret);
  }

  #versions(secret: string): string {
    return decoded(this.#find(companionName(secret)))["versions.json"] ?? "{}";
  }
}

function decoded(secret: KubeSecret | undefined): Record<string, string> {
  return Object.fromEntries(
    Object.entries(secret?.data ?? {}).map(([name, text]) => [name, Buffer.from(text, "base64").toString()]),
  );
}
