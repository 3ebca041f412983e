import { type Knobs, type ModelKey, remainingOf } from "./model-types.ts";

/** A key as the key endpoints show it; `seed` is the older documentation's shape, without the newer fields. */
export function keyJson(key: ModelKey, shape: Knobs["shape"]): Record<string, unknown> {
  return {
    hash: key.hash,
    name: key.name,
    label: key.label,
    disabled: key.disabled,
    ...limitJson(key),
    ...usageJson(key),
    created_at: timestamp(key.createdAt),
    updated_at: key.updatedAt === null ? null : timestamp(key.updatedAt),
    ...(shape === "full" && {
      expires_at: key.expiresAt,
      creator_user_id: key.creatorUserId,
      workspace_id: key.workspaceId,
      external_user: key.externalUser,
    }),
  };
}

/** A key as it sees itself: neither hash nor name. */
export function currentKeyJson(key: ModelKey, shape: Knobs["shape"]): Record<string, unknown> {
  return {
    label: key.label,
    ...limitJson(key),
    ...usageJson(key),
    ...ownJson(false),
    ...(shape === "full" && {
      expires_at: key.expiresAt,
      creator_user_id: key.creatorUserId,
      workspace_id: key.workspaceId,
    }),
  };
}

/** A management key as it sees itself. */
export function managementKeyJson(label: string): Record<string, unknown> {
  const none = { usage: 0, usage_daily: 0, usage_weekly: 0, usage_monthly: 0 };
  return {
    label,
    limit: null,
    limit_remaining: null,
    limit_reset: null,
    include_byok_in_limit: false,
    ...none,
    ...Object.fromEntries(Object.keys(none).map((name) => [`byok_${name}`, 0])),
    ...ownJson(true),
    expires_at: null,
    creator_user_id: null,
    workspace_id: null,
  };
}

function limitJson(key: ModelKey): Record<string, unknown> {
  return {
    limit: key.limit,
    limit_remaining: remainingOf(key),
    limit_reset: key.limitReset,
    include_byok_in_limit: key.includeByokInLimit,
  };
}

function usageJson({ usage, byokUsage }: ModelKey): Record<string, unknown> {
  return {
    usage: usage.total,
    usage_daily: usage.daily,
    usage_weekly: usage.weekly,
    usage_monthly: usage.monthly,
    byok_usage: byokUsage.total,
    byok_usage_daily: byokUsage.daily,
    byok_usage_weekly: byokUsage.weekly,
    byok_usage_monthly: byokUsage.monthly,
  };
}

function ownJson(isManagementKey: boolean): Record<string, unknown> {
  return {
    is_free_tier: false,
    is_management_key: isManagementKey,
    is_provisioning_key: isManagementKey,
    organization_id: null,
    allowed_data_regions: [],
    free_model_daily_requests: { limit: 1000, remaining: 1000, used: 0 },
    rate_limit: { requests: -1, interval: "10s", note: "This field is deprecated and safe to ignore." },
  };
}

/** 2025-02-19T20:52:27.363000+00:00, as the API writes instants. */
export function timestamp(instant: number): string {
  return new Date(instant).toISOString().replace("Z", "000+00:00");
}
