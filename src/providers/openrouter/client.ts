import { RotationError } from "../../lib/errors.ts";
import type { HttpResponse } from "../../lib/http.ts";
import { Secret } from "../../lib/secret.ts";
import type { Exchange } from "../exchange.ts";
import type { KeyPatch, KeySettings } from "../provider.ts";

/** The wire: paths, queries, headers and the exact JSON. What an answer means is not known here. */
export interface OpenRouterClient {
  list(query: { offset: number; workspaceId?: string }): Promise<HttpResponse>;
  get(hash: string): Promise<HttpResponse>;
  create(name: string, settings: KeySettings): Promise<HttpResponse>;
  update(hash: string, patch: KeyPatch): Promise<HttpResponse>;
  delete(hash: string): Promise<HttpResponse>;
  current(key: Secret): Promise<HttpResponse>;
}

const TIMEOUT = 15_000;
const CREATE_TIMEOUT = 30_000;

export function openRouterClient(parts: {
  name: string;
  baseUrl: string;
  headers: Readonly<Record<string, string>>;
  managementKey: () => Promise<Secret>;
  exchange: Exchange;
}): OpenRouterClient {
  const base = parts.baseUrl.replace(/\/+$/, "");
  const extra = Object.fromEntries(
    Object.entries(parts.headers).map(([name, value]) => [name.toLowerCase(), value]),
  );

  async function call(
    what: string,
    method: string,
    path: string,
    options: { as?: Secret; body?: object; timeoutMs?: number } = {},
  ): Promise<HttpResponse> {
    const credential = options.as ?? (await parts.managementKey());
    const headers: Record<string, string | Secret> = {
      ...extra,
      accept: "application/json",
      authorization: new Secret(`Bearer ${credential.reveal()}`),
    };
    if (options.body) headers["content-type"] = "application/json";
    return parts.exchange.send(`${what} at ${parts.name}`, {
      method,
      url: `${base}${path}`,
      headers,
      body: options.body && JSON.stringify(options.body),
      timeoutMs: options.timeoutMs ?? TIMEOUT,
    });
  }

  return {
    list({ offset, workspaceId }) {
      const query = new URLSearchParams({ offset: String(offset), include_disabled: "true" });
      if (workspaceId !== undefined) query.set("workspace_id", workspaceId);
      return call("list keys", "GET", `/keys?${query}`);
    },
    get: (hash) => call(`read key ${hash}`, "GET", keyPath(hash)),
    create: async (name, settings) =>
      call(`create key ${name}`, "POST", "/keys", {
        body: createBody(name, settings),
        timeoutMs: CREATE_TIMEOUT,
      }),
    update: async (hash, patch) =>
      call(`update key ${hash}`, "PATCH", keyPath(hash), { body: updateBody(patch) }),
    delete: (hash) => call(`delete key ${hash}`, "DELETE", keyPath(hash)),
    current: (key) => call("ask about the key in use", "GET", "/key", { as: key }),
  };
}

/** A hash that would vanish from the path would turn a call about one key into one about all. */
function keyPath(hash: string): string {
  if (/^\.{0,2}$/.test(hash))
    throw new RotationError("internal", `${JSON.stringify(hash)} is not the hash of a key`);
  return `/keys/${encodeURIComponent(hash)}`;
}

function createBody(name: string, settings: KeySettings): object {
  refuseForeign(settings);
  return {
    name,
    limit: settings.limit,
    limit_reset: settings.limitReset,
    include_byok_in_limit: settings.includeByokInLimit,
    expires_at: settings.expiresAt,
    workspace_id: settings.workspaceId,
    creator_user_id: settings.creatorUserId,
  };
}

function updateBody(patch: KeyPatch): object {
  refuseForeign(patch);
  return {
    name: patch.name,
    disabled: patch.disabled,
    limit: patch.limit,
    limit_reset: patch.limitReset,
    include_byok_in_limit: patch.includeByokInLimit,
  };
}

/** Left out in silence, a restriction would yield a key that may do more than was asked for. */
function refuseForeign(settings: KeySettings | KeyPatch): void {
  const foreign = (["allowedProviders", "allowedModels"] as const).find(
    (field) => settings[field] !== undefined,
  );
  if (!foreign) return;
  throw new RotationError("rejected", `OpenRouter has no setting ${foreign}`, {
    hint: `take ${foreign} out of settings`,
  });
}
