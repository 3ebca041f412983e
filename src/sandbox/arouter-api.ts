import { type Call, mask, type Reply, serveApi } from "./api-frame.ts";
import { type ARouterDialect, DEFAULT_DIALECT } from "./arouter-dialect.ts";
import { readARouterCreate, readARouterUpdate } from "./arouter-input.ts";
import { arouterCurrentJson, arouterKeyJson, arouterRefusal } from "./arouter-json.ts";
import { arouterList } from "./arouter-list.ts";
import { chat } from "./chat.ts";
import type { Handler } from "./fault-answers.ts";
import { Faults, type Operation } from "./faults.ts";
import type { ModelKey } from "./model-types.ts";
import { type ModelOptions, ProviderModel } from "./provider-model.ts";

const KEYS = "/api/v1/keys";

/** An account of ARouter's: its prefixes, and the rest as of any provider. */
export function arouterModel(options: ModelOptions): ProviderModel {
  return new ProviderModel({ prefix: "lr_live_", managementPrefix: "lr_mgmt_", ...options });
}

/**
 * The key endpoints of ARouter under `/api/v1`, the key in use at `/api/v1/key` or `/v1/key`, and
 * `POST /v1/chat/completions`, over a model, in a dialect. Every request that arrives is in
 * `model.requests`, faults included.
 */
export function arouterApi(
  model: ProviderModel,
  faults = new Faults(),
  changed: Partial<ARouterDialect> = {},
): Handler {
  const dialect = { ...DEFAULT_DIALECT, ...changed };
  const refuse = (status: number, message: string) => arouterRefusal(status, message, dialect);
  const operationOf = (method: string, path: string) => operation(method, path, dialect);
  return serveApi(
    model,
    { operationOf, refuse, answer: (call) => answer(model, call, dialect, refuse) },
    faults,
  );
}

type Refuse = (status: number, message: string) => Reply;

function operation(method: string, path: string, { currentAt }: ARouterDialect): Operation | undefined {
  const operations: Record<string, Operation> = {
    [currentAt === "api" ? "GET /api/v1/key" : "GET /v1/key"]: "current",
    [`GET ${KEYS}`]: "list",
    [`POST ${KEYS}`]: "create",
    [`GET ${KEYS}/{hash}`]: "get",
    [`PATCH ${KEYS}/{hash}`]: "update",
    [`DELETE ${KEYS}/{hash}`]: "delete",
    "POST /v1/chat/completions": "chat",
    "POST /api/v1/chat/completions": "chat",
  };
  return operations[`${method} ${path.replace(/^(\/api\/v1\/keys)\/[^/]+$/, "$1/{hash}")}`];
}

function answer(model: ProviderModel, call: Call, dialect: ARouterDialect, refuse: Refuse): Reply {
  if (!call.operation) return { status: 404, text: "404 page not found" };
  if (call.operation === "get" && dialect.getByHash !== "served") return withoutRoute(dialect, refuse);
  if (!call.credential) return refuse(401, "Missing API key");
  const account = model.managedAccount(call.credential);
  const key = account === undefined ? model.accepted(call.credential) : undefined;
  if (account === undefined && !key) return refuse(401, "Invalid API key");

  if (call.operation === "current") {
    const data = key
      ? arouterCurrentJson(key, dialect)
      : { label: mask(call.credential), key_type: "management", limit: null, usage: 0 };
    return { status: 200, json: { data } };
  }
  if (call.operation === "chat") {
    return key
      ? chat(model, key, call.body, refuse)
      : refuse(403, "Management keys cannot be used for inference");
  }
  return account === undefined
    ? refuse(model.knobs.ordinaryKeyStatus, "A management key is required")
    : manage(model, call, account, dialect, refuse);
}

function withoutRoute({ getByHash }: ARouterDialect, refuse: Refuse): Reply {
  if (getByHash === "405") return { status: 405, text: "Method Not Allowed" };
  return getByHash === "api-404"
    ? refuse(404, "Route not found")
    : { status: 404, text: "404 page not found" };
}

function manage(
  model: ProviderModel,
  call: Call,
  account: string,
  dialect: ARouterDialect,
  refuse: Refuse,
): Reply {
  const hash = call.path.slice(`${KEYS}/`.length);
  const found = (key: ModelKey | undefined): Reply =>
    key ? { status: 200, json: { data: arouterKeyJson(key, dialect) } } : refuse(404, "API key not found");

  switch (call.operation) {
    case "list": {
      const page = arouterList(model, call, account, dialect);
      return typeof page === "string" ? refuse(400, page) : page;
    }
    case "create": {
      const fields = readARouterCreate(call.body, model.clock.now());
      if (typeof fields === "string") return refuse(400, fields);
      const { key, issued } = model.create(fields, account);
      const plaintext = key.reveal();
      const json =
        dialect.created === "flat"
          ? { key: plaintext, hash: issued.hash, name: issued.name }
          : { data: arouterKeyJson(issued, dialect), key: plaintext };
      return { status: 200, json };
    }
    case "update": {
      const change = readARouterUpdate(call.body);
      return typeof change === "string" ? refuse(400, change) : found(model.update(hash, change, account));
    }
    case "delete":
      return model.delete(hash, account) ? deleted(dialect) : found(undefined);
    default:
      return found(model.key(hash, account));
  }
}

function deleted({ deleted: form }: ARouterDialect): Reply {
  if (form === "no-content") return { status: 204 };
  return { status: 200, json: form === "flag" ? { deleted: true } : { data: { deleted: true } } };
}
