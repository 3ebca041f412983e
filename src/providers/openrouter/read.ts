import { isObject, parseJson } from "../answer.ts";
import { flag, hash, instant, label, nullable, number, period, readEntries, text } from "../fields.ts";
import type { CurrentKey, IssuedKey } from "../provider.ts";
import { withRaw, withRawLater } from "../raw.ts";

/**
 * Reads answers leniently: a field of an unexpected type counts as not given, and the envelope
 * `data` may be missing. Undefined is returned where the one thing that is needed is not there.
 */

/** The key of an answer about one key; undefined without a hash. */
export function readIssuedKey(body: string): IssuedKey | undefined {
  const json = parseJson(body);
  return isObject(json) ? issuedKey(json.data ?? json, withRaw) : undefined;
}

/** A page of the list; undefined when it is none, or when an entry has no hash to know it by. */
export function readPage(body: string): IssuedKey[] | undefined {
  return readEntries(body, (entry) => issuedKey(entry, withRawLater));
}

/** What a key says about itself; undefined when the body is no object. */
export function readCurrentKey(body: string): CurrentKey | undefined {
  const json = parseJson(body);
  if (!isObject(json) || !isObject(json.data)) return undefined;
  const { data } = json;
  const known = {
    label: label(data, "label"),
    usage: number(data, "usage"),
    limit: nullable(data, "limit", number),
    limitRemaining: nullable(data, "limit_remaining", number),
    expiresAt: nullable(data, "expires_at", instant),
    isManagementKey: flag(data, "is_management_key") ?? flag(data, "is_provisioning_key"),
  };
  return withRaw(known, data);
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
    limit: nullable(data, "limit", number),
    limitRemaining: nullable(data, "limit_remaining", number),
    limitReset: nullable(data, "limit_reset", period),
    includeByokInLimit: flag(data, "include_byok_in_limit"),
    usage: number(data, "usage"),
    byokUsage: number(data, "byok_usage"),
    createdAt: instant(data, "created_at"),
    updatedAt: nullable(data, "updated_at", instant),
    expiresAt: nullable(data, "expires_at", instant),
    workspaceId: text(data, "workspace_id"),
    creatorUserId: nullable(data, "creator_user_id", text),
  };
  return shown(known, data);
}
