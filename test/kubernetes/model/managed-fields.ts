import type { KubeMetadata, KubeObject } from "../../../src/kubernetes/api.ts";
import { canonical, isObject, type Json } from "./json.ts";

type Entry = NonNullable<KubeMetadata["managedFields"]>[number] & {
  apiVersion?: string;
  fieldsType?: string;
  subresource?: string;
};

export interface Writer {
  manager: string;
  apiVersion: string;
  subresource?: string | undefined;
  /** RFC 3339, to the second. */
  time: string;
}

/** Who owns which field after an update, as the API server keeps it: whoever changes a value owns it alone. */
export function managedAfter(before: KubeObject | undefined, after: KubeObject, writer: Writer): Entry[] {
  const [old, now] = [leaves(before), leaves(after)];
  const taken = [...now].filter(([path, value]) => old.get(path) !== value).map(([path]) => path);
  const lost = new Set([...taken, ...[...old.keys()].filter((path) => !now.has(path))]);
  const others: Entry[] = [];
  let mine: Set<string> = new Set();
  let since = writer.time;
  for (const entry of (before?.metadata.managedFields ?? []) as Entry[]) {
    const owned = pathsOf(entry.fieldsV1 ?? {});
    if (isWriters(entry, writer)) {
      mine = owned;
      since = entry.time ?? since;
      continue;
    }
    const left = minus(owned, lost);
    if (left.size > 0) others.push({ ...entry, fieldsV1: fieldsOf(left) });
  }
  const owned = new Set([...minus(mine, lost), ...taken]);
  if (owned.size === 0) return others;
  const own: Entry = {
    manager: writer.manager,
    operation: "Update",
    apiVersion: writer.apiVersion,
    // Only who takes a value gets a new time: to remove one is not to own it.
    time: taken.length > 0 ? writer.time : since,
    fieldsType: "FieldsV1",
    fieldsV1: fieldsOf(owned),
    ...(writer.subresource && { subresource: writer.subresource }),
  };
  return [...others, own].sort(
    (a, b) => (a.time ?? "").localeCompare(b.time ?? "") || (a.manager ?? "").localeCompare(b.manager ?? ""),
  );
}

function minus(all: ReadonlySet<string>, those: ReadonlySet<string>): Set<string> {
  return new Set([...all].filter((one) => !those.has(one)));
}

function isWriters(entry: Entry, { manager, apiVersion, subresource }: Writer): boolean {
  return (
    entry.manager === manager &&
    entry.operation === "Update" &&
    entry.apiVersion === apiVersion &&
    (entry.subresource ?? "") === (subresource ?? "")
  );
}

const SYSTEM = new Set([
  ..."name namespace uid resourceVersion generation creationTimestamp deletionTimestamp".split(" "),
  ..."deletionGracePeriodSeconds managedFields selfLink".split(" "),
]);
/** Maps with free keys: they are owned as such beside their entries. */
const MAPS = ["data", "binaryData", "labels", "annotations", "matchLabels", "nodeSelector"];

/** Every field that can be owned, by its path, with its value. Lists count as one value, but for finalizers, which are a set. */
function leaves(object: KubeObject | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (value: unknown, path: string[]) => {
    if (path.at(-1) === "f:finalizers" && Array.isArray(value)) {
      for (const part of [".", ...value.map((one) => `v:${JSON.stringify(one)}`)])
        found.set(JSON.stringify([...path, part]), "");
      return;
    }
    if (!isObject(value)) {
      const text = typeof value === "string" ? value : (canonical(value) ?? "");
      return void found.set(JSON.stringify(path), `${typeof value} ${text}`);
    }
    if (MAPS.includes((path.at(-1) ?? "").slice(2))) found.set(JSON.stringify([...path, "."]), "");
    for (const [name, inner] of Object.entries(value)) visit(inner, [...path, `f:${name}`]);
  };
  for (const [name, value] of Object.entries(object ?? {})) {
    if (name === "apiVersion" || name === "kind") continue;
    if (name !== "metadata") visit(value, [`f:${name}`]);
    else {
      for (const [field, inner] of Object.entries(value as Json)) {
        if (!SYSTEM.has(field)) visit(inner, ["f:metadata", `f:${field}`]);
      }
    }
  }
  return found;
}

function fieldsOf(paths: ReadonlySet<string>): Json {
  const root: Json = {};
  for (const path of [...paths].sort()) {
    let node = root;
    for (const part of JSON.parse(path) as string[]) {
      node[part] ??= {};
      node = node[part] as Json;
    }
  }
  return root;
}

function pathsOf(fields: Json, path: string[] = []): Set<string> {
  const found = new Set<string>();
  for (const [part, inner] of Object.entries(fields)) {
    const here = [...path, part];
    if (!isObject(inner) || Object.keys(inner).length === 0) found.add(JSON.stringify(here));
    else for (const deeper of pathsOf(inner, here)) found.add(deeper);
  }
  return found;
}
