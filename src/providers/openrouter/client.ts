import { RotationError } from "../../lib/errors.ts";
import type { HttpResponse } from "../../lib/http.ts";
import type { Secret } from "../../lib/secret.ts";
import type { Call } from "../connection.ts";
import { keyPath } from "../key-path.ts";
import type { KeyPatch, KeySettings } from "../provider.ts";

/** Which part of a list: `offset` entries in, of a workspace or of the default one. */
export interface ListQuery {
  offset: number;
  workspaceId?: string;
}

/** The wire: paths, queries and the exact JSON. What an answer means is not known here. */
export interface OpenRouterClient {
  list(query: ListQuery): Promise<HttpResponse>;
  get(hash: string): Promise<HttpResponse>;
  create(name: string, settings: KeySettings): Promise<HttpResponse>;
  update(hash: string, patch: KeyPatch): Promise<HttpResponse>;
  delete(hash: string): Promise<HttpResponse>;
  current(key: Secret): Promise<HttpResponse>;
  /** Guardrails on keys, of the whole account. */
  listAssignments(offset: number): Promise<HttpResponse>;
  /** Takes the place of the guardrail that the key had. */
  assignGuardrail(guardrail: string, hash: string): Promise<HttpResponse>;
  listByokKeys(query: ListQuery): Promise<HttpResponse>;
  listDestinations(query: ListQuery): Promise<HttpResponse>;
}

const CREATE_TIMEOUT = 30_000;
/** The most that the lists besides that of keys give in a page. */
export const LIST_LIMIT = 100;

export function openRouterClient(call: Call): OpenRouterClient {
  const query = ({ offset, workspaceId }: ListQuery) =>
    new URLSearchParams({
      limit: String(LIST_LIMIT),
      offset: String(offset),
      ...(workspaceId !== undefined && { workspace_id: workspaceId }),
    });
  return {
    list({ offset, workspaceId }) {
      const asked = new URLSearchParams({ offset: String(offset), include_disabled: "true" });
      if (workspaceId !== undefined) asked.set("workspace_id", workspaceId);
      return call("list keys", "GET", `/keys?${asked}`);
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
    current: (key) => call("ask about the key in use", "GET", "/key", { as: key }),
    listAssignments: (offset) =>
      call("list guardrails of keys", "GET", `/guardrails/assignments/keys?${query({ offset })}`),
    assignGuardrail: (guardrail, hash) =>
      call(
        `put guardrail ${guardrail} on key ${hash}`,
        "POST",
        `/guardrails/${encodeURIComponent(guardrail)}/assignments/keys`,
        { body: { key_hashes: [hash] } },
      ),
    listByokKeys: (part) => call("list BYOK credentials", "GET", `/byok?${query(part)}`),
    listDestinations: (part) =>
      call("list observability destinations", "GET", `/observability/destinations?${query(part)}`),
  };
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
