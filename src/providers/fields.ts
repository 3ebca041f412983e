import { isObject, type JsonObject, parseJson } from "./answer.ts";
import type { KeySettings } from "./provider.ts";

/** Reads a field of an answer leniently: one of an unexpected type counts as not given. */
export type Read<T> = (data: JsonObject, name: string) => T | undefined;

export const text: Read<string> = (data, name) => {
  const value = data[name];
  return typeof value === "string" ? value : undefined;
};

export const number: Read<number> = (data, name) => {
  const value = data[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

export const flag: Read<boolean> = (data, name) => {
  const value = data[name];
  return typeof value === "boolean" ? value : undefined;
};

export const texts: Read<string[]> = (data, name) => {
  const value = data[name];
  return Array.isArray(value) && value.every((entry) => typeof entry === "string") ? value : undefined;
};

export const period: Read<NonNullable<KeySettings["limitReset"]>> = (data, name) =>
  (["daily", "weekly", "monthly"] as const).find((known) => known === data[name]);

export function nullable<T>(data: JsonObject, name: string, read: Read<T>): T | null | undefined {
  return data[name] === null ? null : read(data, name);
}

/** The entries of a list, in `data` or bare; undefined when it is none, or when `read` cannot read an entry. */
export function readEntries<T>(body: string, read: (entry: unknown) => T | undefined): T[] | undefined {
  const json = parseJson(body);
  const entries = isObject(json) ? json.data : json;
  if (!Array.isArray(entries)) return undefined;
  const known = entries.map(read).filter((entry) => entry !== undefined);
  return known.length === entries.length ? known : undefined;
}

/** Whether the answer to delete says that the key is deleted. */
export function readDeleted(body: string): boolean {
  const json = parseJson(body);
  if (!isObject(json)) return false;
  return json.deleted === true || (isObject(json.data) && json.data.deleted === true);
}
