import type { Reply } from "./api-frame.ts";
import type { ARouterDialect } from "./arouter-dialect.ts";
import { type ModelKey, remainingOf } from "./model-types.ts";

/** A key as ARouter's key endpoints show it. */
export function arouterKeyJson(key: ModelKey, dialect: ARouterDialect): Record<string, unknown> {
  return {
    hash: key.hash,
    name: key.name,
    ...arouterCurrentJson(key, dialect),
    disabled: key.disabled,
    created_at: new Date(key.createdAt).toISOString(),
    updated_at: key.updatedAt === null ? null : new Date(key.updatedAt).toISOString(),
  };
}

/** A key as it sees itself. */
export function arouterCurrentJson(key: ModelKey, dialect: ARouterDialect): Record<string, unknown> {
  const { total, daily, weekly, monthly } = key.usage;
  return {
    label: key.label,
    key_type: "regular",
    [dialect.limitField]: key.limit,
    limit_remaining: remainingOf(key),
    limit_reset: key.limitReset,
    allowed_providers: key.allowedProviders,
    allowed_models: key.allowedModels,
    ...(dialect.usage === "number"
      ? { usage: total, usage_daily: daily, usage_weekly: weekly, usage_monthly: monthly }
      : { usage: { prompt_tokens: 0, completion_tokens: 0, cost: total } }),
    expires_at: key.expiresAt,
  };
}

const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "insufficient_credits",
  403: "permission_error",
  404: "not_found",
  429: "rate_limit_exceeded",
};

export function arouterRefusal(status: number, message: string, dialect: ARouterDialect): Reply {
  const type = TYPES[status] ?? "api_error";
  const json = {
    type: { error: { message, type } },
    "text-code": { error: { message, code: type } },
    "number-code": { error: { message, code: status } },
    flat: { code: type, message },
  }[dialect.errors];
  return { status, json };
}
