/** Where something stands in the policy: `["keys", 0, "confirm", "timeout"]`. */
export type Path = readonly (string | number)[];

export interface Span {
  /** Offsets in the file's text, the end excluded. */
  start: number;
  end: number;
}

interface Place {
  /** Where it is written, which after merging may be under `defaults`. */
  path: Path;
  at: Span;
  /** The field's name, for a value in a map. */
  keyAt?: Span;
}

export interface Scalar extends Place {
  kind: "scalar";
  value: string | number | boolean | null;
  /** The text before `${NAME}` was filled in from the environment; never shown filled in. */
  template?: string;
}

/** The policy as it was written: values that know where they come from. */
export type Tree =
  | Scalar
  | (Place & { kind: "map"; entries: Map<string, Tree> })
  | (Place & { kind: "list"; items: Tree[] });

/** More values than any policy needs. */
export const MOST_VALUES = 1_000_000;
/** Nested deeper than any policy is. */
export const DEEPEST = 40;

/** The plain value. */
export function toValue(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(toValue);
  return Object.fromEntries([...tree.entries].map(([key, entry]) => [key, toValue(entry)]));
}

export function child(tree: Tree, step: string | number): Tree | undefined {
  if (tree.kind === "map") return tree.entries.get(String(step));
  return tree.kind === "list" ? tree.items[Number(step)] : undefined;
}

/** What stands at a path; undefined when nothing does. */
export function find(tree: Tree, path: Path): Tree | undefined {
  let found: Tree | undefined = tree;
  for (const step of path) found = found && child(found, step);
  return found;
}

/** What stands at a path, or the nearest thing around it, and the steps that lead on from there. */
export function nearestTo(tree: Tree, path: Path): { tree: Tree; rest: Path } {
  let found = tree;
  for (const [depth, step] of path.entries()) {
    const next = child(found, step);
    if (!next) return { tree: found, rest: path.slice(depth) };
    found = next;
  }
  return { tree: found, rest: [] };
}

/** `over` on top of `base`: maps merge deeply, anything else replaces. */
export function merge(base: Tree | undefined, over: Tree): Tree {
  if (base?.kind !== "map" || over.kind !== "map") return over;
  const entries = new Map(base.entries);
  for (const [key, entry] of over.entries) entries.set(key, merge(entries.get(key), entry));
  return { ...over, entries };
}

/** The tree with every scalar replaced; what holds none that changes stays the same object. */
export function mapScalars(tree: Tree, replace: (scalar: Scalar) => Scalar): Tree {
  if (tree.kind === "scalar") return replace(tree);
  if (tree.kind === "list") {
    const items = tree.items.map((item) => mapScalars(item, replace));
    return items.every((item, index) => item === tree.items[index]) ? tree : { ...tree, items };
  }
  let changed: Map<string, Tree> | undefined;
  for (const [key, entry] of tree.entries) {
    const mapped = mapScalars(entry, replace);
    if (mapped === entry) continue;
    changed ??= new Map(tree.entries);
    changed.set(key, mapped);
  }
  return changed ? { ...tree, entries: changed } : tree;
}

/** `keys[0].confirm.timeout`, `keys[0].consumers[1].probe.expect.json["/llm/key"]`. */
export function formatPath(path: Path): string {
  return path
    .map((step, index) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(step)) return `[${JSON.stringify(step)}]`;
      return index === 0 ? step : `.${step}`;
    })
    .join("");
}
