import { isDeepStrictEqual } from "node:util";
import { RotationError } from "../lib/errors.ts";
import { Secret } from "../lib/secret.ts";
import type { SecretRef } from "./store.ts";

/** What one version of a secret holds: the value itself, or an object whose fields hold values. */
export type Content = string | Record<string, unknown>;

/** JSON with the source text of numbers, which the type library does not know yet. */
const json = JSON as unknown as {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
};

/** Parses JSON so that writing it again loses nothing: a number that a double cannot hold keeps its digits. */
export function parseJson(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === "number" && source !== undefined && String(value) !== source
      ? json.rawJSON(source)
      : value,
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Reads the text that consumers read: a JSON object when `fields`, else a plain value whose last
 * line end does not count. Throws RotationError `unusable` naming `where`.
 */
export function parseContent(text: string, fields: boolean, where: string): Content {
  if (!fields) {
    const value = withoutLineEnd(text);
    if (value !== "") return value;
    throw new RotationError("unusable", `${where} is empty`, {
      hint: "write the value into it, or delete it",
    });
  }
  const parsed = attempt(() => parseJson(text));
  if (isObject(parsed)) return parsed;
  throw new RotationError("unusable", `${where} is not a JSON object`, {
    hint: "mend it so that it is a JSON object again, or delete it",
  });
}

/** The text that consumers read. */
export function renderContent(content: Content): string {
  return typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`;
}

/** Whether two contents mean the same to a consumer, whatever their layout. */
export function sameContent(a: Content, b: Content): boolean {
  if (typeof a === "string" && typeof b === "string") return withoutLineEnd(a) === withoutLineEnd(b);
  return isDeepStrictEqual(a, b);
}

/** The value seen through `ref`; undefined when the field is missing, null or empty. Throws `unusable` when it is no string. */
export function secretIn(content: Content, ref: SecretRef): Secret | undefined {
  const value = typeof content === "string" ? content : fieldOf(content, ref.field ?? "");
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value === "string") return new Secret(value);
  throw new RotationError("unusable", `field ${ref.field} of secret ${ref.secret} is not a string`, {
    hint: "make it a string, or remove the field",
  });
}

/** `base` with the value at `ref` replaced and every other field kept. */
export function merged(base: Content | undefined, ref: SecretRef, value: Secret): Content {
  if (ref.field === undefined) return value.reveal();
  return { ...(isObject(base) ? base : {}), [ref.field]: value.reveal() };
}

/** The names under which values stand; "" for a plain one. */
export function fieldNames(content: Content): string[] {
  return typeof content === "string" ? [""] : Object.keys(content);
}

/** Whether both hold the same under that name. */
export function sameField(a: Content, b: Content, name: string): boolean {
  if (typeof a === "string" || typeof b === "string") return sameContent(a, b);
  return Object.hasOwn(a, name) && isDeepStrictEqual(fieldOf(a, name), fieldOf(b, name));
}

function fieldOf(content: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(content, name) ? content[name] : undefined;
}

function withoutLineEnd(text: string): string {
  return text.replace(/[\r\n]+$/, "");
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
