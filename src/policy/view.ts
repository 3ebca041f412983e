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
  return {
    tree,
    folder,
    now,
    providers: named(child(tree, "providers"), policySchema.shape.providers.valueType),
    stores: named(child(tree, "stores"), policySchema.shape.stores.valueType),
    keys: keys?.kind === "list" ? keys.items.map((key, index) => viewKey(key, ["keys", index])) : [],
  };
}

/** Whether something is written at a path below a key, in the key itself or in `defaults`. */
export function isGiven(view: PolicyView, key: KeyView, path: Path): boolean {
  return find(view.tree, [...key.path, ...path]) !== undefined;
}

function viewKey(tree: Tree, path: Path): KeyView {
  const policy = Object.entries(keySchema.shape).flatMap(([field, schema]) => {
    const written = child(tree, field);
    const value = parsed(schema, written && toValue(written));
    return value === undefined ? [] : [[field, value]];
  });
  const consumers = child(tree, "consumers");
  return {
    path,
    policy: Object.fromEntries(policy),
    consumers:
      consumers?.kind === "list" ? consumers.items.map((item) => parsed(consumerSchema, toValue(item))) : [],
  };
}

function named<T extends z.ZodType>(tree: Tree | undefined, schema: T): Map<string, z.output<T> | undefined> {
  const entries = tree?.kind === "map" ? [...tree.entries] : [];
  return new Map(entries.map(([name, entry]) => [name, parsed(schema, toValue(entry))]));
}

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.output<T> | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}
