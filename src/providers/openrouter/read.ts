import { Secret } from "../../lib/secret.ts";
import { isObject, type JsonObject, parseJson } from "../answer.ts";
import type { CurrentKey, IssuedKey, KeySettings } from "../provider.ts";
import { withoutSecrets } from "../redact.ts";

/**
 * Reads answers leniently: a field of an unexpected type counts as not given, and the envelope
 * `data` may be missing. Undefined is returned where the one thing that is needed is not there.
 */

/** The key of an answer about one key; undefined without a hash. */
export function readIssuedKey(body: string): IssuedKey | undefined {
  const json = parseJson(body);
  return isObject(json) ? issuedKey(json.data ?? json) : undefined;
}

/** A page of the list; undefined when it is none, or when an entry has no hash to know it by. */
export function readPage(body: string): IssuedKey[] | undefined {
  const json = parseJson(body);
  const entries = isObject(json) ? json.data : json;
  if (!Array.isArray(entries)) return undefined;
  const keys = entries.map(issuedKey).filter((key) => key !== undefined);
  return keys.length === entries.length ? keys : undefined;
}

/** The answer to create; undefined without a plaintext key or a hash. */
export function readCreated(body: string): { key: Secret; issued: IssuedKey } | undefined {
  const json = parseJson(body);
  const issued = readIssuedKey(body);
  if (!isObject(json) || !issued) return undefined;
  const key = text(json, "key") ?? (isObject(json.data) ? text(json.data, "key") : undefined);
  return key ? { key: new Secret(key), issued } : undefined;
}

/** What a key says about itself; undefined when the body is no object. */
export function readCurrentKey(body: string): CurrentKey | undefined {
  const json = parseJson(body);
  if (!isObject(json) || !isObject(json.data)) return undefined;
  const { data } = json;
  return {
    label: text(data, "label"),
    usage: number(data, "usage"),
    limit: nullable(data, "limit", number),
    limitRemaining: nullable(data, "limit_remaining", number),
    expiresAt: nullable(data, "expires_at", text),
    isManagementKey: flag(data, "is_management_key") ?? flag(data, "is_provisioning_key"),
    raw: withoutSecrets(data) as JsonObject,
  };
}

/** Whether the answer to delete says that the key is deleted. */
export function readDeleted(body: string): boolean {
  const json = parseJson(body);
  if (!isObject(json)) return false;
  return json.deleted === true || (isObject(json.data) && json.data.deleted === true);
}

function issuedKey(data: unknown): IssuedKey | undefined {
  if (!isObject(data)) return undefined;
  const hash = text(data, "hash");
  if (!hash) return undefined;
  return {
    hash,
    name: text(data, "name"),
    label: text(data, "label"),
    disabled: flag(data, "disabled"),
    limit: nullable(data, "limit", number),
    limitRemaining: nullable(data, "limit_remaining", number),
    limitReset: nullable(data, "limit_reset", period),
    includeByokInLimit: flag(data, "include_byok_in_limit"),
    usage: number(data, "usage"),
    byokUsage: number(data, "byok_usage"),
    createdAt: text(data, "created_at"),
    updatedAt: nullable(data, "updated_at", text),
    expiresAt: nullable(data, "expires_at", text),
    workspaceId: text(data, "workspace_id"),
    creatorUserId: nullable(data, "creator_user_id", text),
    raw: withoutSecrets(data) as JsonObject,
  };
}

type Read<T> = (data: JsonObject, name: string) => T | undefined;

const text: Read<string> = (data, name) => {
  const value = data[name];
  return typeof value === "string" ? value : undefined;
};

const number: Read<number> = (data, name) => {
  const value = data[name];
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
};

const flag: Read<boolean> = (data, name) => {
  const value = data[name];
  return typeof value === "boolean" ? value : undefined;
};

const period: Read<NonNullable<KeySettings["limitReset"]>> = (data, name) =>
  (["daily", "weekly", "monthly"] as const).find((known) => known === data[name]);

function nullable<T>(data: JsonObject, name: string, read: Read<T>): T | null | undefined {
  return data[name] === null ? null : read(data, name);
}
