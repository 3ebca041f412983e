import { randomId } from "../lib/random.ts";
import { faultyAnswer, type Handler } from "./fault-answers.ts";
import { type Fault, Faults, type Operation } from "./faults.ts";
import { readCreate, readUpdate } from "./key-input.ts";
import { currentKeyJson, keyJson, managementKeyJson } from "./key-json.ts";
import type { LoggedRequest, ModelKey } from "./model-types.ts";
import type { ProviderModel } from "./provider-model.ts";

interface Call {
  operation: Operation | undefined;
  hash: string;
  query: URLSearchParams;
  /** The credential of the Authorization header; empty without one. */
  credential: string;
  body: string;
}

interface Reply {
  status: number;
  json: unknown;
}

/**
 * The key endpoints of OpenRouter, `GET /key` and `POST /chat/completions` under `/api/v1`, over a
 * model. Every request that arrives is in `model.requests`, faults included.
 */
export function openRouterApi(model: ProviderModel, faults = new Faults()): Handler {
  return async (request) => {
    const url = new URL(request.url);
    const logged: LoggedRequest = {
      at: model.clock.now(),
      method: request.method,
      path: url.pathname,
      status: 0,
    };
    model.requests.push(logged);
    const call = await readCall(request, url);
    const { latency, lateDelay } = model.knobs;
    if (latency > 0) await model.clock.sleep(latency);

    const perform = () => toResponse(model, answer(model, call));
    const fault: Fault | undefined = call.operation && faults.take(call.operation);
    const response = fault
      ? await faultyAnswer(fault, {
          perform,
          performLater: () => model.defer(lateDelay, () => void answer(model, call)),
          refuse: (status) => toResponse(model, refusal(status, "Injected fault")),
          signal: request.signal,
        })
      : perform();
    const whole = fault?.kind !== "truncated" && fault?.kind !== "endless";
    logged.status = whole ? response.status : 0;
    return response;
  };
}

async function readCall(request: Request, url: URL): Promise<Call> {
  const path = url.pathname.replace(/\/$/, "");
  const [, hash = ""] = /^\/api\/v1\/keys\/([^/]+)$/.exec(path) ?? [];
  return {
    operation: operationOf(request.method, hash ? "/api/v1/keys/{hash}" : path),
    hash,
    query: url.searchParams,
    credential: /^Bearer\s+(.+)$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "",
    body: await request.text(),
  };
}

function operationOf(method: string, path: string): Operation | undefined {
  const operations: Record<string, Operation> = {
    "GET /api/v1/key": "current",
    "GET /api/v1/keys": "list",
    "POST /api/v1/keys": "create",
    "GET /api/v1/keys/{hash}": "get",
    "PATCH /api/v1/keys/{hash}": "update",
    "DELETE /api/v1/keys/{hash}": "delete",
    "POST /api/v1/chat/completions": "chat",
  };
  return operations[`${method} ${path}`];
}

function answer(model: ProviderModel, call: Call): Reply {
  if (!call.operation) return refusal(404, "Not Found");
  if (!call.credential) return refusal(401, "Missing Authentication header");
  const account = model.managedAccount(call.credential);
  const key = account === undefined ? model.accepted(call.credential) : undefined;
  if (account === undefined && !key) return refusal(401, "User not found.");

  if (call.operation === "current") {
    const { shape } = model.knobs;
    return {
      status: 200,
      json: { data: key ? currentKeyJson(key, shape) : managementKeyJson(mask(call.credential)) },
    };
  }
  if (call.operation === "chat") {
    return key
      ? chat(model, key, call.body)
      : refusal(403, "Management keys cannot be used for this operation");
  }
  if (account === undefined) {
    const status = model.knobs.ordinaryKeyStatus;
    return refusal(
      status,
      status === 403 ? "Only management keys can perform this operation" : "Invalid management key",
    );
  }
  return manage(model, call, account);
}

function manage(model: ProviderModel, call: Call, account: string): Reply {
  const shown = (key: ModelKey) => keyJson(key, model.knobs.shape);
  const found = (key: ModelKey | undefined): Reply =>
    key ? { status: 200, json: { data: shown(key) } } : refusal(404, "Resource not found");

  switch (call.operation) {
    case "list": {
      const offset = Number(call.query.get("offset") ?? 0);
      if (!Number.isInteger(offset) || offset < 0)
        return refusal(400, "offset: must be a whole number from 0 up");
      const workspaceId = call.query.get("workspace_id") ?? undefined;
      if (workspaceId && !model.hasWorkspace(workspaceId, account))
        return refusal(400, "workspace_id: no such workspace");
      const includeDisabled = call.query.get("include_disabled") === "true";
      return {
        status: 200,
        json: { data: model.list({ offset, workspaceId, includeDisabled }, account).map(shown) },
      };
    }
    case "create": {
      const fields = readCreate(call.body, model.clock.now());
      if (typeof fields === "string") return refusal(400, fields);
      if (fields.workspaceId && !model.hasWorkspace(fields.workspaceId, account)) {
        return refusal(400, "workspace_id: no such workspace");
      }
      const { key, issued } = model.create(fields, account);
      return { status: 201, json: { data: shown(issued), key: key.reveal() } };
    }
    case "update": {
      const change = readUpdate(call.body);
      return typeof change === "string"
        ? refusal(400, change)
        : found(model.update(call.hash, change, account));
    }
    case "delete":
      return model.delete(call.hash, account) ? { status: 200, json: { deleted: true } } : found(undefined);
    default:
      return found(model.key(call.hash, account));
  }
}

function chat(model: ProviderModel, key: ModelKey, body: string): Reply {
  const asked = modelOf(body);
  if (!asked) return refusal(400, "model: required");
  const cost = model.knobs.costPerRequest;
  const outcome = model.spend(key.hash, cost);
  if (outcome === "no-credits") return refusal(402, "Insufficient credits");
  if (outcome === "over-limit")
    return refusal(403, `Key limit exceeded (${key.limitReset ?? "total"} limit)`);
  return {
    status: 200,
    json: {
      id: `gen-${randomId(model.random)}`,
      object: "chat.completion",
      created: Math.floor(model.clock.now() / 1000),
      model: asked,
      system_fingerprint: "fp_sandbox",
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hello from the sandbox." },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 8, completion_tokens: 5, total_tokens: 13, cost },
    },
  };
}

function modelOf(body: string): string | undefined {
  try {
    const { model } = JSON.parse(body);
    return typeof model === "string" && model ? model : undefined;
  } catch {
    return undefined;
  }
}

function refusal(status: number, message: string): Reply {
  return { status, json: { error: { code: status, message } } };
}

function toResponse(model: ProviderModel, { status, json }: Reply): Response {
  const body = JSON.stringify(json);
  return new Response(body, {
    status,
    headers: {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
      date: new Date(model.clock.now()).toUTCString(),
    },
  });
}

function mask(credential: string): string {
  return `${credential.slice(0, 12)}...${credential.slice(-4)}`;
}
