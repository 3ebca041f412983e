import { type Call, mask, type Reply, serveApi } from "./api-frame.ts";
import { chat } from "./chat.ts";
import type { Handler } from "./fault-answers.ts";
import { Faults, type Operation } from "./faults.ts";
import { hashBoundOperation, hashBoundReply } from "./hash-bound-api.ts";
import { readCreate, readUpdate } from "./key-input.ts";
import { currentKeyJson, keyJson, managementKeyJson } from "./key-json.ts";
import type { ModelKey } from "./model-types.ts";
import type { ProviderModel } from "./provider-model.ts";

const BASE = "/api/v1";

/**
 * The key endpoints of OpenRouter, those of guardrails, the lists of BYOK credentials and
 * observability destinations, `GET /key` and `POST /chat/completions` under `/api/v1`, over a
 * model. Every request that arrives is in `model.requests`, faults included.
 */
export function openRouterApi(model: ProviderModel, faults = new Faults()): Handler {
  return serveApi(model, { operationOf, answer: (call) => answer(model, call), refuse }, faults);
}

function operationOf(method: string, path: string): Operation | undefined {
  const operations: Record<string, Operation> = {
    "GET /key": "current",
    "GET /keys": "list",
    "POST /keys": "create",
    "GET /keys/{hash}": "get",
    "PATCH /keys/{hash}": "update",
    "DELETE /keys/{hash}": "delete",
    "POST /chat/completions": "chat",
  };
  if (!path.startsWith(`${BASE}/`)) return undefined;
  const own = path.slice(BASE.length);
  return operations[`${method} ${own.replace(/^\/keys\/[^/]+$/, "/keys/{hash}")}`] ?? hashBoundOperation(own);
}

function answer(model: ProviderModel, call: Call): Reply {
  if (!call.operation) return refuse(404, "Not Found");
  if (!call.credential) return refuse(401, "Missing Authentication header");
  const account = model.managedAccount(call.credential);
  const key = account === undefined ? model.accepted(call.credential) : undefined;
  if (account === undefined && !key) return refuse(401, "User not found.");

  if (call.operation === "current") {
    const { shape } = model.knobs;
    return {
      status: 200,
      json: { data: key ? currentKeyJson(key, shape) : managementKeyJson(mask(call.credential)) },
    };
  }
  if (call.operation === "chat") {
    return key
      ? chat(model, key, call.body, refuse)
      : refuse(403, "Management keys cannot be used for this operation");
  }
  if (account === undefined) {
    const status = model.knobs.ordinaryKeyStatus;
    return refuse(
      status,
      status === 403 ? "Only management keys can perform this operation" : "Invalid management key",
    );
  }
  return manage(model, call, account);
}

function manage(model: ProviderModel, call: Call, account: string): Reply {
  const hash = call.path.slice(`${BASE}/keys/`.length);
  const shown = (key: ModelKey) => keyJson(key, model.knobs.shape);
  const found = (key: ModelKey | undefined): Reply =>
    key ? { status: 200, json: { data: shown(key) } } : refuse(404, "Resource not found");

  switch (call.operation) {
    case "list": {
      const offset = Number(call.query.get("offset") ?? 0);
      if (!Number.isInteger(offset) || offset < 0)
        return refuse(400, "offset: must be a whole number from 0 up");
      const workspaceId = call.query.get("workspace_id") ?? undefined;
      if (workspaceId && !model.hasWorkspace(workspaceId, account))
        return refuse(400, "workspace_id: no such workspace");
      const includeDisabled = call.query.get("include_disabled") === "true";
      return {
        status: 200,
        json: { data: model.list({ offset, workspaceId, includeDisabled }, account).map(shown) },
      };
    }
    case "create": {
      const fields = readCreate(call.body, model.clock.now());
      if (typeof fields === "string") return refuse(400, fields);
      if (fields.workspaceId && !model.hasWorkspace(fields.workspaceId, account)) {
        return refuse(400, "workspace_id: no such workspace");
      }
      const { key, issued } = model.create(fields, account);
      return { status: 201, json: { data: shown(issued), key: key.reveal() } };
    }
    case "update": {
      const change = readUpdate(call.body);
      return typeof change === "string" ? refuse(400, change) : found(model.update(hash, change, account));
    }
    case "delete":
      return model.delete(hash, account) ? { status: 200, json: { deleted: true } } : found(undefined);
    case "get":
      return found(model.key(hash, account));
    default:
      return hashBoundReply(model, { ...call, path: call.path.slice(BASE.length) }, account, refuse);
  }
}

function refuse(status: number, message: string): Reply {
  return { status, json: { error: { code: status, message } } };
}
