import { createHash } from "node:crypto";
import type { KubeAnswer, KubeObject, KubeResource } from "../../../src/kubernetes/api.ts";
import { withoutEmpty } from "./decode.ts";
import { at, copy, type Json, same } from "./json.ts";
import { apiVersionOf, type Kind } from "./kinds.ts";
import { managedAfter } from "./managed-fields.ts";
import { alreadyExists, conflict, type FieldFault, invalid, notFound, Refusal } from "./refusal.ts";
import { metadataFaults } from "./validate.ts";

/** Of etcd, for a whole object. */
const OBJECT_LIMIT = 1.5 * 1024 * 1024;
const POD_GRACE_SECONDS = 30;

/** All that an API server holds at one instant. Nothing in it is ever changed. */
export interface KubeImage {
  readonly version: number;
  readonly objects: ReadonlyMap<string, KubeObject>;
}

/** Who writes, and whether only the status. */
export interface Write {
  manager: string;
  subresource?: string | undefined;
}

/** The objects, and what happens to each when it is made, changed and deleted. Throws a Refusal where the API server would. */
export class ObjectStore {
  readonly #objects: Map<string, KubeObject>;
  readonly #missingNamespaces = new Set<string>();
  readonly #now: () => number;
  readonly #uidOf: ((name: string) => string) | undefined;
  #version: number;

  constructor(options: {
    /** The API server's clock. */
    now: () => number;
    image?: KubeImage | undefined;
    uidOf?: ((name: string) => string) | undefined;
  }) {
    this.#now = options.now;
    this.#uidOf = options.uidOf;
    this.#version = options.image?.version ?? 1_000;
    this.#objects = new Map(options.image?.objects);
  }

  get version(): string {
    return String(this.#version);
  }

  image(): KubeImage {
    return { version: this.#version, objects: new Map(this.#objects) };
  }

  /** As it is kept: not to be changed. */
  find(kind: KubeResource, namespace: string, name: string): KubeObject | undefined {
    return this.#objects.get(keyOf(kind, namespace, name));
  }

  /** By name, as they are kept. */
  all(kind: KubeResource, namespace: string): KubeObject[] {
    const prefix = keyOf(kind, namespace, "");
    return [...this.#objects]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object);
  }

  withoutNamespace(namespace: string): void {
    this.#missingNamespaces.add(namespace);
  }

  /** Every object of a kind is gone at once. */
  drop({ group, plural }: KubeResource): void {
    for (const key of this.#objects.keys()) {
      if (key.startsWith(`${group}/${plural}/`)) this.#objects.delete(key);
    }
  }

  /** One is gone, whatever held it. */
  erase(kind: KubeResource, namespace: string, name: string): void {
    this.#objects.delete(keyOf(kind, namespace, name));
    this.#version++;
  }

  create(kind: Kind, namespace: string, object: KubeObject, manager: string): KubeObject {
    const { name, resourceVersion } = object.metadata;
    if (this.#missingNamespaces.has(namespace)) {
      throw notFound({ group: "", plural: "namespaces" } as Kind, namespace);
    }
    if (resourceVersion) {
      throw new Refusal(500, "", "resourceVersion should not be set on objects to be created");
    }
    const { status, ...rest } = object as KubeObject & { status?: unknown };
    const given = (kind.status
      ? rest
      : { ...rest, ...(status !== undefined && { status }) }) as unknown as Json;
    const defaulted = (kind.defaults?.(given) ?? given) as unknown as KubeObject;
    const made = withoutEmpty({
      ...defaulted,
      metadata: {
        ...withoutSystem(object.metadata),
        namespace,
        uid: this.#uidOf?.(name) ?? this.#uid(),
        creationTimestamp: this.#seconds(),
        ...(kind.counts && { generation: 1 }),
      },
    } as unknown as Json) as unknown as KubeObject;
    refuse(kind, name, [...metadataFaults(made.metadata), ...(kind.faults?.(made as unknown as Json) ?? [])]);
    if (this.#objects.has(keyOf(kind, namespace, name))) throw alreadyExists(kind, name);
    return this.#store(kind, undefined, made, { manager });
  }

  update(kind: Kind, before: KubeObject, object: KubeObject, { manager, subresource }: Write): KubeObject {
    const { name, namespace = "" } = before.metadata;
    const { uid, resourceVersion } = object.metadata;
    if (uid && uid !== before.metadata.uid)
      throw wrongUid(kind, namespace, name, uid, before.metadata.uid ?? "");
    if (!resourceVersion && !kind.unconditional) {
      const says = "must be specified for an update";
      const fault: FieldFault = { field: "metadata.resourceVersion", type: "Invalid value", value: 0, says };
      throw invalid({ ...kind, kind: kind.plural }, name, [fault]);
    }
    if (resourceVersion && resourceVersion !== before.metadata.resourceVersion) throw conflict(kind, name);
    const now = kind.defaults?.(object as unknown as Json) ?? (object as unknown as Json);
    const old = before as unknown as Json;
    const content = { ...now, ...(kind.status && { status: old.status }) };
    const changed = subresource ? { ...old, status: now.status } : content;
    const system = [
      "uid",
      "creationTimestamp",
      "generation",
      "deletionTimestamp",
      "deletionGracePeriodSeconds",
    ];
    const next = withoutEmpty({
      ...changed,
      metadata: {
        ...withoutSystem(subresource ? statusMetadata(kind, before, object) : object.metadata),
        namespace,
        ...Object.fromEntries(
          Object.entries(before.metadata).filter(
            ([field]) => system.includes(field) || field === "resourceVersion",
          ),
        ),
      },
    });
    const result = next as unknown as KubeObject;
    const faults = [...metadataFaults(result.metadata), ...(kind.faults?.(next, old) ?? [])];
    refuse(kind, name, [...faults, ...newFinalizers(before, result)]);
    if (!subresource && kind.counts?.(next, old))
      result.metadata.generation = (before.metadata.generation ?? 0) + 1;
    return this.#store(kind, before, result, { manager, subresource });
  }

  /** Nothing changed: nothing is written, and the version stays. The last finalizer gone: so is the object. */
  #store(
    kind: Kind,
    before: KubeObject | undefined,
    object: KubeObject,
    { manager, subresource }: Write,
  ): KubeObject {
    const { name, namespace = "" } = object.metadata;
    const bare = (one: KubeObject) => ({ ...one, metadata: { ...one.metadata, managedFields: undefined } });
    if (before && same(bare(before), bare(object))) return before;
    const writer = { manager, apiVersion: apiVersionOf(kind), subresource, time: this.#seconds() };
    const key = keyOf(kind, namespace, name);
    const managedFields = managedAfter(before, object, writer);
    const managed = managedFields.length > 0 ? { managedFields } : {};
    if (object.metadata.deletionTimestamp && kind.plural !== "pods" && !object.metadata.finalizers?.length) {
      this.#version++;
      this.#objects.delete(key);
      return { ...object, metadata: { ...object.metadata, ...managed } };
    }
    const resourceVersion = String(++this.#version);
    const stored: KubeObject = {
      ...object,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: {
        ...object.metadata,
        resourceVersion,
        ...managed,
      },
    };
    if (Buffer.byteLength(JSON.stringify(stored)) > OBJECT_LIMIT) {
      throw new Refusal(500, "", "etcdserver: request is too large");
    }
    this.#objects.set(key, copy(stored));
    return stored;
  }

  delete(kind: Kind, found: KubeObject, options: unknown): KubeAnswer {
    const { name, namespace = "", uid = "", resourceVersion = "" } = found.metadata;
    const wanted = (at(options, "preconditions") ?? {}) as { uid?: string; resourceVersion?: string };
    // Of a deletion, the kind stands where elsewhere the plural does.
    const mismatch = (what: string, [asked, there]: [string, string], so: string) => {
      const says = `the ${what} in the precondition (${asked}) does not match the ${what} in record (${there}). ${so}`;
      return conflict({ ...kind, plural: kind.kind }, name, says);
    };
    if (wanted.uid && wanted.uid !== uid) {
      const so = "The object might have been deleted and then recreated";
      throw mismatch("UID", [wanted.uid, uid], so);
    }
    if (wanted.resourceVersion && wanted.resourceVersion !== resourceVersion) {
      const so = "The object might have been modified";
      throw mismatch("ResourceVersion", [wanted.resourceVersion, resourceVersion], so);
    }
    const grace = kind.plural === "pods" ? podGrace(found, at(options, "gracePeriodSeconds")) : 0;
    if (grace > 0 || found.metadata.finalizers?.length) {
      if (found.metadata.deletionTimestamp) return { status: 200, body: found, headers: {} };
      const marked = this.#ending(found, grace);
      this.#objects.set(keyOf(kind, namespace, name), marked);
      return { status: 200, body: marked, headers: {} };
    }
    this.#version++;
    this.#objects.delete(keyOf(kind, namespace, name));
    if (kind.plural === "pods") return { status: 200, body: this.#ending(found, 0), headers: {} };
    const details = { name, ...(kind.group && { group: kind.group }), kind: kind.plural, uid };
    const body = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details };
    return { status: 200, body, headers: {} };
  }

  /** As it is shown once its deletion was asked for. */
  #ending(found: KubeObject, grace: number): KubeObject {
    const { generation, deletionTimestamp } = found.metadata;
    const counted = generation !== undefined && deletionTimestamp === undefined;
    return {
      ...copy(found),
      metadata: {
        ...copy(found.metadata),
        deletionTimestamp: this.#seconds(grace * 1_000),
        deletionGracePeriodSeconds: grace,
        resourceVersion: String(++this.#version),
        ...(counted && { generation: generation + 1 }),
      } as KubeObject["metadata"],
    };
  }

  #seconds(ahead = 0): string {
    const now = new Date(this.#now() + ahead);
    return now.toISOString().replace(/\.\d+Z$/, "Z");
  }

  #uid(): string {
    const hex = createHash("sha256").update(`uid ${this.#version}`).digest("hex");
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `8${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ].join("-");
  }
}

function keyOf(
  { group, plural }: { group: string; plural: string },
  namespace: string,
  name: string,
): string {
  return `${group}/${plural}/${namespace}/${name}`;
}

export function wrongUid(
  kind: Kind,
  namespace: string,
  name: string,
  wanted: string,
  found: string,
): Refusal {
  const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`;
  const key = `/registry/${kind.plural}/${namespace}/${name}`;
  const storage = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`;
  return conflict(kind, name, storage);
}

function refuse(kind: Kind, name: string, faults: FieldFault[]): void {
  if (faults.length > 0) throw invalid(kind, name, faults);
}

/** With the status, annotations may change too; of a custom kind, nothing else. */
function statusMetadata(kind: Kind, before: KubeObject, { metadata }: KubeObject): KubeObject["metadata"] {
  return kind.custom ? before.metadata : { ...before.metadata, annotations: metadata.annotations };
}

function newFinalizers(before: KubeObject, after: KubeObject): FieldFault[] {
  if (!before.metadata.deletionTimestamp) return [];
  const added = (after.metadata.finalizers ?? []).filter((one) => !before.metadata.finalizers?.includes(one));
  const says = "no new finalizers can be added if the object is being deleted";
  return added.length === 0 ? [] : [{ field: "metadata.finalizers", type: "Forbidden", says }];
}

function podGrace(pod: KubeObject, asked: unknown): number {
  if (!at(pod, "spec", "nodeName")) return 0;
  if (typeof asked === "number") return asked;
  return Number(at(pod, "spec", "terminationGracePeriodSeconds") ?? POD_GRACE_SECONDS);
}

/** Of what a client sends, only these are its own. */
function withoutSystem(metadata: KubeObject["metadata"]): KubeObject["metadata"] {
  const own = ["name", "namespace", "labels", "annotations", "finalizers", "ownerReferences", "generateName"];
  return Object.fromEntries(
    Object.entries(metadata).filter(([field]) => own.includes(field)),
  ) as unknown as KubeObject["metadata"];
}
