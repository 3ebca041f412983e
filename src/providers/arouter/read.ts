import { apiError, isObject, type JsonObject, parseJson } from "../answer.ts";
import { flag, hash, instant, label, nullable, number, period, readEntries, text, texts } from "../fields.ts";
import type { CurrentKey, IssuedKey } from "../provider.ts";
import { withRaw, withRawLater } from "../raw.ts";
import type { TokenPage } from "../walk.ts";

/**
 * Reads answers in every form that ARouter's pages and SDKs show: with the envelope `data` or
 * without, `limit` or `limit_usd`, `usage` as a number or an object. A field of an unexpected type
 * counts as not given; undefined is returned where the one thing that is needed is not there.
 */

/** The key of an answer about one key; undefined without a hash. */
export function readIssuedKey(body: string): IssuedKey | undefined {
  const json = parseJson(body);
  return isObject(json) ? issuedKey(json.data ?? json, withRaw) : undefined;
}

/** A page of the list; undefined when it is none, or when an entry has no hash to know it by. */
export function readPage(body: string): TokenPage<IssuedKey> | undefined {
  const entries = readEntries(body, (entry) => issuedKey(entry, withRawLater));
  return entries && { entries, next: nextToken(parseJson(body)) };
}

/** Any of these shows that an object without an envelope is about a key. */
const KEY_FIELDS = ["label", "name", "hash", "key_type", "usage", "limit", "limit_usd", "limit_remaining"];

/** What a key says about itself; undefined when the body is not about a key. */
export function readCurrentKey(body: string): CurrentKey | undefined {
  const json = parseJson(body);
  if (!isObject(json)) return undefined;
  const data = isObject(json.data) ? json.data : json;
  if (!KEY_FIELDS.some((name) => name in data)) return undefined;
  const known = {
    label: label(data, "label"),
    usage: usageIn(data),
    limit: limitIn(data),
    limitRemaining: nullable(data, "limit_remaining", number),
    expiresAt: nullable(data, "expires_at", instant),
    isManagementKey: managementIn(data),
  };
  return withRaw(known, data);
}

/**
 * What the API says went wrong, also as `{code, message}` or `{type, message}` without an envelope.
 * A bare `{message}` is what gateways in front of an API say, and no error of the API's own.
 */
export function readError(body: string): string | undefined {
  const json = parseJson(body);
  if (!isObject(json)) return undefined;
  const inner = isObject(json.error) ? json.error : json;
  const kind = text(inner, "type") ?? text(inner, "code") ?? number(inner, "code")?.toString();
  if (inner === json) return apiError(body) ?? (kind && text(json, "message"));
  return text(inner, "message") ?? kind;
}

function issuedKey(data: unknown, shown: typeof withRaw): IssuedKey | undefined {
  if (!isObject(data)) return undefined;
  const id = hash(data, "hash");
  if (id === undefined) return undefined;
  const known = {
    hash: id,
    name: text(data, "name"),
    label: label(data, "label"),
    disabled: flag(data, "disabled"),
    limit: limitIn(data),
    limitRemaining: nullable(data, "limit_remaining", number),
    limitReset: nullable(data, "limit_reset", period),
    allowedProviders: restrictionIn(data, "allowed_providers"),
    allowedModels: restrictionIn(data, "allowed_models"),
    usage: usageIn(data),
    createdAt: instant(data, "created_at"),
    updatedAt: nullable(data, "updated_at", instant),
    expiresAt: nullable(data, "expires_at", instant),
  };
  return shown(known, data);
}

function limitIn(data: JsonObject): number | null | undefined {
  const limit = nullable(data, "limit", number);
  return limit === undefined ? nullable(data, "limit_usd", number) : limit;
}

function usageIn(data: JsonObject): number | undefined {
  return isObject(data.usage) ? number(data.usage, "cost") : number(data, "usage");
}

/** Null stands for no restriction. */
function restrictionIn(data: JsonObject, name: string): string[] | undefined {
  return data[name] === null ? [] : texts(data, name);
}

function managementIn(data: JsonObject): boolean | undefined {
  const type = text(data, "key_type");
  return flag(data, "is_management_key") ?? (type === undefined ? undefined : type === "management");
}

const TOKENS = ["next_page_token", "nextPageToken", "next_token", "next_cursor", "page_token"];
const AROUND = ["pagination", "paging", "page", "meta"];

/** Where the page after this one begins; neither ARouter's pages nor its SDKs name the field. */
function nextToken(json: unknown): string | undefined {
  if (!isObject(json)) return undefined;
  const places = [json, ...AROUND.map((name) => json[name]).filter(isObject)];
  if (places.some((place) => flag(place, "has_more") === false)) return undefined;
  for (const place of places)
    for (const name of TOKENS) {
      const token = text(place, name) ?? number(place, name)?.toString();
      if (token) return token;
    }
  return undefined;
}
