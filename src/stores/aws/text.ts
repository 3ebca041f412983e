import { RotationError } from "../../lib/errors.ts";
import type { Secret } from "../../lib/secret.ts";
import { type Content, isObject, merged, parseContent, parseJson } from "../content.ts";
import { wrongShape } from "../refusals.ts";
import type { SecretRef } from "../store.ts";

/** The longest value that AWS takes, in bytes. */
const LARGEST = 65_536;

/** Reads what a version holds, in the shape that `ref` asks for. Throws `unusable` when it has another. */
export function readText(text: string, ref: SecretRef): Content {
  const where = `secret ${ref.secret}`;
  const json = attempt(text);
  if (ref.field === undefined && isObject(json)) throw wrongShape(ref);
  if (ref.field !== undefined && json === undefined && !/^\s*([[{"]|$)/.test(text)) throw wrongShape(ref);
  return parseContent(text, ref.field !== undefined, where);
}

/**
 * The text of a version that holds `value` at `ref` and every other field of `before`, laid out as
 * that was. Throws `full` when it is longer than AWS takes.
 */
export function writeText(before: string | undefined, ref: SecretRef, value: Secret): string {
  const text = rendered(before, ref, value);
  const bytes = Buffer.byteLength(text);
  if (bytes <= LARGEST) return text;
  throw new RotationError(
    "full",
    `secret ${ref.secret} would be ${bytes} bytes long, and AWS takes ${LARGEST}`,
    {
      hint: "move some of its fields to another secret",
    },
  );
}

function rendered(before: string | undefined, ref: SecretRef, value: Secret): string {
  if (ref.field === undefined) return value.reveal();
  const content = merged(before === undefined ? undefined : readText(before, ref), ref, value);
  if (before === undefined) return JSON.stringify(content);
  const indent = before.trim().includes("\n") ? 2 : undefined;
  return JSON.stringify(content, null, indent) + (/\n$/.test(before) ? "\n" : "");
}

function attempt(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
