import type { z } from "zod";
import {
  type ConsumerPolicy,
  consumerSchema,
  type KeyPolicy,
  keySchema,
  type ProviderPolicy,
  policySchema,
  type StorePolicy,
} from "./schema.ts";
import { child, find, type Path, type Tree, toValue } from "./tree.ts";

/** One key as far as it could be parsed: a field that is faulty, or missing, is undefined. */
export interface KeyView {
  path: Path;
  policy: Partial<KeyPolicy>;
  /** By their places in the list; undefined where one is faulty. */
  consumers: (ConsumerPolicy | undefined)[];
  /** `policy`, where nothing of it is faulty or unknown. */
  whole?: KeyPolicy;
}

/** A policy as far as it could be parsed, for the checks that cross fields. */
export interface PolicyView {
  tree: Tree;
  /** The policy's folder, where relative paths start. */
  folder: string;
  /** Epoch milliseconds. */
  now: number;
  /** By name; undefined where one is faulty. */
  providers: Map<string, ProviderPolicy | undefined>;
  stores: Map<string, StorePolicy | undefined>;
  keys: KeyView[];
}

export function viewPolicy(tree: Tree, folder: string, now: number): PolicyView {
  const keys = child(tree, "keys");
  const parse = parserOfFields();
  return {
    tree,
    folder,
    now,
    providers: named(child(tree, "providers"), policySchema.shape.providers.valueType),
    stores: named(child(tree, "stores"), policySchema.shape.stores.valueType),
    keys: keys?.kind === "list" ? keys.items.map((key, index) => viewKey(key, ["keys", index], parse)) : [],
  };
}

const AROUND_KEYS = policySchema.omit({ keys: true });

/** The policy that a view shows, where no single field of it is faulty; that it is one is then known without parsing all of it again. */
export function wholePolicy({
  tree,
  keys,
}: PolicyView): { data: z.output<typeof policySchema>; error?: undefined } | undefined {
  const whole = keys.flatMap(({ whole }) => whole ?? []);
  if (tree.kind !== "map" || whole.length === 0 || whole.length < keys.length) return undefined;
  const around = new Map(tree.entries);
  around.delete("keys");
  const { data } = AROUND_KEYS.safeParse(toValue({ ...tree, entries: around }));
  return data && { data: { ...data, keys: whole } };
}

/** Whether something is written at a path below a key, in the key itself or in `defaults`. */
export function isGiven(view: PolicyView, key: KeyView, path: Path): boolean {
  return find(view.tree, [...key.path, ...path]) !== undefined;
}

/** A field of a key that is absent, or comes from `defaults`, is the same in thousands of keys and parsed once. */
function parserOfFields() {
  const known = new Map<string, Map<Tree | undefined, unknown>>();
  return (field: string, schema: z.ZodType, written: Tree | undefined): unknown => {
    const ofField = known.get(field) ?? new Map<Tree | undefined, unknown>();
    known.set(field, ofField);
    if (!ofField.has(written)) ofField.set(written, parsed(schema, written && toValue(written), FAULTY));
    return ofField.get(written);
  };
}

const FAULTY = Symbol("faulty");
const FIELDS = Object.entries(keySchema.shape);

function viewKey(tree: Tree, path: Path, parse: ReturnType<typeof parserOfFields>): KeyView {
  const policy: Record<string, unknown> = {};
  let isWhole =
    tree.kind === "map" && [...tree.entries.keys()].every((name) => Object.hasOwn(keySchema.shape, name));
  for (const [field, schema] of FIELDS) {
    const value = parse(field, schema, child(tree, field));
    if (value === FAULTY) isWhole = false;
    else if (value !== undefined) policy[field] = value;
  }
  const list = child(tree, "consumers");
  const { consumers } = policy as Partial<KeyPolicy>;
  return {
    path,
    policy,
    consumers: Array.isArray(consumers)
      ? consumers
      : list?.kind === "list"
        ? list.items.map((item) => parsed(consumerSchema, toValue(item), undefined))
        : [],
    ...(isWhole ? { whole: policy as KeyPolicy } : {}),
  };
}

function named<T extends z.ZodType>(tree: Tree | undefined, schema: T): Map<string, z.output<T> | undefined> {
  const entries = tree?.kind === "map" ? [...tree.entries] : [];
  return new Map(entries.map(([name, entry]) => [name, parsed(schema, toValue(entry), undefined)]));
}

function parsed<T extends z.ZodType, F>(schema: T, value: unknown, faulty: F): z.output<T> | F {
  const result = schema.safeParse(value);
  return result.success ? result.data : faulty;
}
