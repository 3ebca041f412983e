import { redactQuoted } from "../lib/redact.ts";
import { isObject, type JsonObject, parseJson } from "./answer.ts";
import type { KeySettings } from "./provider.ts";

/** Reads a field of an answer leniently: one of an unexpected type counts as not given. */
export type Read<T> = (data: JsonObject, name: string) => T | undefined;

export const text: Read<string> = (data, name) => {
  const value = data[name];
  return typeof value === "string" ? value : undefined;
};

/**
 * The identifier of a key: printable and of a sensible length, fit for a path and for a name in the
 * journal, and not the key itself.
 */
export const hash: Read<string> = (data, name) => {
  const value = text(data, name);
  if (value === undefined || !/^[\x21-\x7e]{1,256}$/.test(value) || /^\.{1,2}$/.test(value)) return undefined;
  return value in {} || redactQuoted(value) !== value ? undefined : value;
};

/** The masked form of a key; one that is not masked counts as not given, as it would be kept and shown. */
export const label: Read<string> = (data, name) => {
  const value = text(data, name);
  return value === undefined || redactQuoted(value) !== value ? undefined : value;
};

/** A date and time in ISO 8601, as it was written. */
export const instant: Read<string> = (data, name) => {
  const value = text(data, name);
  return value !== undefined &&
    /^\d{4}-\d\d-\d\d[T ][\d:.,Z+-]{5,25}$/.test(value) &&
    !Number.isNaN(Date.parse(value))
    ? value
    : undefined;
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
