import { RotationError } from "../../lib/errors.ts";
import type { HttpResponse } from "../../lib/http.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Call } from "../connection.ts";
import { keyPath } from "../key-path.ts";
import type { KeyPatch, KeySettings } from "../provider.ts";

/** Entries asked for in a page. */
export const PAGE_SIZE = 100;

/** The wire: paths, queries and the exact JSON, in the form of the key-management guide. */
export interface ARouterClient {
  /** The first page, or the one at an offset or by a token. */
  list(from?: { offset: number } | { token: string }): Promise<HttpResponse>;
  get(hash: string): Promise<HttpResponse>;
  create(name: string, settings: KeySettings): Promise<HttpResponse>;
  update(hash: string, patch: KeyPatch): Promise<HttpResponse>;
  delete(hash: string): Promise<HttpResponse>;
  /** At the API's `/key`, or at the host's `/v1/key`. */
  current(key: Secret, place: "api" | "host"): Promise<HttpResponse>;
}

const CREATE_TIMEOUT = 30_000;

export function arouterClient(call: Call, baseUrl: string): ARouterClient {
  const hostBase = `${new URL(baseUrl).origin}/v1`;
  return {
    list(from) {
      const query = new URLSearchParams({ page_size: String(PAGE_SIZE), include_disabled: "true" });
      if (from && "offset" in from) query.set("offset", String(from.offset));
      if (from && "token" in from) query.set("page_token", from.token);
      return call("list keys", "GET", `/keys?${query}`);
    },
    get: async (hash) => call(`read key ${hash}`, "GET", keyPath(hash)),
    create: async (name, settings) =>
      call(`create key ${name}`, "POST", "/keys", {
        body: createBody(name, settings),
        timeoutMs: CREATE_TIMEOUT,
      }),
    update: async (hash, patch) =>
      call(`update key ${hash}`, "PATCH", keyPath(hash), { body: updateBody(patch) }),
    delete: async (hash) => call(`delete key ${hash}`, "DELETE", keyPath(hash)),
    current: (key, place) =>
      call("ask about the key in use", "GET", "/key", {
        as: key,
        ...(place === "host" && { base: hostBase }),
      }),
  };
}

function createBody(name: string, settings: KeySettings): object {
  refuseForeign(settings);
  return {
    name,
    limit: settings.limit,
    limit_reset: settings.limitReset,
    expires_at: settings.expiresAt,
    allowed_providers: restriction(settings.allowedProviders, undefined),
    allowed_models: restriction(settings.allowedModels, undefined),
  };
}

function updateBody(patch: KeyPatch): object {
  refuseForeign(patch);
  return {
    name: patch.name,
    disabled: patch.disabled,
    limit: patch.limit,
    limit_reset: patch.limitReset,
    allowed_providers: restriction(patch.allowedProviders, null),
    allowed_models: restriction(patch.allowedModels, null),
  };
}

/** No restriction is documented as null; an empty list might be taken to allow nothing at all. */
function restriction<None>(list: readonly string[] | undefined, none: None) {
  return list?.length === 0 ? none : list;
}

/** Left out in silence, a setting would yield a key other than the one that was asked for. */
function refuseForeign(settings: KeySettings): void {
  const foreign = (["includeByokInLimit", "workspaceId", "creatorUserId"] as const).find(
    (field) => settings[field] !== undefined,
  );
  if (!foreign) return;
  throw new RotationError("rejected", `ARouter has no setting ${foreign}`, {
    hint: `take ${foreign} out of settings`,
  });
}
