import { createHash } from "node:crypto";
import type { KubeObject } from "../../kubernetes/api.ts";
import { RotationError } from "../../lib/errors.ts";
import { Secret } from "../../lib/secret.ts";
import { isObject } from "../content.ts";

/** A Secret as the API gives it. */
export interface KubeSecret extends KubeObject {
  type?: string;
  immutable?: boolean;
  /** In base64. */
  data?: Record<string, string>;
}

/** What the API takes in all entries of a Secret together, in bytes. */
const MOST_BYTES = 1024 * 1024;

/** The object, if it has the shape of a Secret that was read by its name; else throws RotationError `malformed`. */
export function asSecret(object: KubeSecret, name: string): KubeSecret {
  const { metadata, type, data, immutable } = object;
  const { uid, resourceVersion, labels, annotations, ownerReferences, managedFields } = metadata;
  const ok =
    [uid, resourceVersion].every((text) => typeof text === "string" && text !== "") &&
    [labels, annotations, data].every(isTexts) &&
    [type, metadata.deletionTimestamp].every((text) => text === undefined || typeof text === "string") &&
    (immutable === undefined || typeof immutable === "boolean") &&
    [ownerReferences, managedFields].every(isObjects);
  if (ok) return object;
  throw new RotationError("malformed", `the answer for Secret ${name} has not the shape of a Secret`);
}

/** The value of an entry as text, without line ends at its end; undefined when there is none. Throws `unusable` when it is no text. */
export function entryValue(secret: KubeSecret | undefined, field: string): Secret | undefined {
  const bytes = bytesOf(secret, field);
  if (secret === undefined || bytes === undefined) return undefined;
  try {
    return new Secret(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw new RotationError(
      "unusable",
      `entry ${field} of Secret ${secret.metadata.name} is not UTF-8 text`,
      {
        hint: "put the key itself there, in base64 once: kubectl create secret generic does so; or name another entry",
      },
    );
  }
}

/** The fingerprint of an entry, be it text or not. */
export function fingerprintOf(secret: KubeSecret | undefined, field: string): string | undefined {
  const bytes = bytesOf(secret, field);
  return bytes && `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The same object with `value` in an entry; every other entry stays as it is. Throws `unusable` past the size that the API takes. */
export function withValue(secret: KubeSecret, field: string, value: Secret): KubeSecret {
  const written = {
    ...secret,
    data: { ...secret.data, [field]: Buffer.from(value.reveal()).toString("base64") },
  };
  assertSize(written);
  return written;
}

export function withAnnotations(secret: KubeSecret, annotations: Record<string, string>): KubeSecret {
  const { metadata } = secret;
  return { ...secret, metadata: { ...metadata, annotations: { ...metadata.annotations, ...annotations } } };
}

/**
 * A JSON merge patch that makes `wanted` of the Secret that was read as `read`, upon that version of it
 * alone. It names the entries and annotations that differ, so that what was not read as it stands is
 * not lost by the write.
 */
export function changesOf(read: KubeSecret, wanted: KubeSecret): object {
  const { resourceVersion } = read.metadata;
  const annotations = differing(read.metadata.annotations, wanted.metadata.annotations);
  const data = differing(read.data, wanted.data);
  return { metadata: { resourceVersion, ...(annotations && { annotations }) }, ...(data && { data }) };
}

/** What to set, and null for what to take out; undefined where nothing differs. */
function differing(read: Texts, wanted: Texts): Record<string, string | null> | undefined {
  const [from, to] = [read ?? {}, wanted ?? {}];
  const gone = Object.keys(from).filter((name) => !Object.hasOwn(to, name));
  const set = Object.entries(to).filter(([name, text]) => own(from, name) !== text);
  if (gone.length + set.length === 0) return undefined;
  return Object.fromEntries([...gone.map((name) => [name, null] as const), ...set]);
}

type Texts = Readonly<Record<string, string>> | null | undefined;

export function annotationOf(secret: KubeSecret | undefined, name: string): string | undefined {
  return own(secret?.metadata.annotations, name);
}

/** Digest of who the object is, of all that it holds, and of what we say of it. Nothing can be guessed from it where one entry is a key. */
export function digestOf(
  { metadata, data }: KubeSecret,
  version: string | undefined,
  fences: number,
): string {
  const entries = Object.entries(data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const text = JSON.stringify([metadata.uid, version, fences, entries]);
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

export function own<T>(map: Readonly<Record<string, T>> | null | undefined, name: string): T | undefined {
  return map && Object.hasOwn(map, name) ? map[name] : undefined;
}

/** Throws RotationError `unusable` when the entries are larger than the API takes. */
export function assertSize({ metadata, data }: KubeSecret): void {
  const sizes = Object.values(data ?? {}).map((base64) => Buffer.byteLength(base64, "base64"));
  const size = sizes.reduce((sum, one) => sum + one, 0);
  if (size <= MOST_BYTES) return;
  throw new RotationError(
    "unusable",
    `Secret ${metadata.name} would hold ${size} bytes, and Kubernetes takes ${MOST_BYTES} (1 MiB)`,
    {
      hint: "move its largest entries to another Secret or a ConfigMap, or keep the key in a Secret of its own",
    },
  );
}

function bytesOf(secret: KubeSecret | undefined, field: string): Buffer | undefined {
  const bytes = Buffer.from(own(secret?.data, field) ?? "", "base64");
  let end = bytes.length;
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end -= 1;
  return end === 0 ? undefined : bytes.subarray(0, end);
}

function isTexts(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}

function isObjects(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.every(isObject));
}
