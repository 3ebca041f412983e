import type { SettingsPolicy } from "../policy/schema.ts";
import type { IssuedKey, KeySettings } from "../providers/provider.ts";

/** What a replacement takes over from a key. */
export type Inherited = KeySettings & Pick<IssuedKey, "createdAt">;

/** The part of a key that its replacement takes over: journalled, for when the provider shows the key no more. */
export function inheritedFrom(key: IssuedKey): Inherited {
  const { limit, limitReset, includeByokInLimit, workspaceId, creatorUserId } = key;
  const { allowedProviders, allowedModels, expiresAt, createdAt } = key;
  const all = { limit, limitReset, includeByokInLimit, workspaceId, creatorUserId, expiresAt, createdAt };
  const known = Object.entries({ ...all, allowedProviders, allowedModels });
  return Object.fromEntries(known.filter(([, value]) => value !== undefined)) as Inherited;
}

/** An instant as the providers take it: UTC, whole seconds. */
function utcSeconds(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** The life that a key was given, in milliseconds, as far as the provider shows it. */
function lifeOf(key: Inherited): number | undefined {
  if (!key.expiresAt || !key.createdAt) return undefined;
  const life = Date.parse(key.expiresAt) - Date.parse(key.createdAt);
  return life > 0 ? life : undefined;
}

function expiryFor(policy: SettingsPolicy, old: Inherited | undefined, now: number): string | undefined {
  if (policy.expiresAt !== undefined) return utcSeconds(Date.parse(policy.expiresAt));
  const life = policy.expiresAfter ?? (old && lifeOf(old));
  return life === undefined ? undefined : utcSeconds(now + life);
}

/**
 * What a replacement is created with: the policy's settings, and for whatever the policy leaves
 * out, those of the key that it replaces (an expiry as the same span of life).
 */
export function settingsFor(policy: SettingsPolicy, old: Inherited | undefined, now: number): KeySettings {
  const settings: KeySettings = {};
  const set = <K extends keyof KeySettings>(field: K, value: KeySettings[K] | undefined) => {
    if (value !== undefined) settings[field] = value;
  };
  set("limit", policy.limit !== undefined ? policy.limit : old?.limit);
  set("limitReset", policy.limitReset !== undefined ? policy.limitReset : old?.limitReset);
  set("includeByokInLimit", policy.includeByokInLimit ?? old?.includeByokInLimit);
  set("workspaceId", policy.workspaceId ?? old?.workspaceId);
  set("creatorUserId", policy.creatorUserId ?? old?.creatorUserId ?? undefined);
  set("allowedProviders", policy.allowedProviders ?? old?.allowedProviders);
  set("allowedModels", policy.allowedModels ?? old?.allowedModels);
  set("expiresAt", expiryFor(policy, old, now));
  return settings;
}

const COMPARED = [
  "limit",
  "limitReset",
  "includeByokInLimit",
  "workspaceId",
  "allowedProviders",
  "allowedModels",
] as const;

/** Where an issued key differs from what was asked for, in words; fields that the provider does not show are passed over. */
export function settingsThatDiffer(asked: KeySettings, issued: IssuedKey): string[] {
  return COMPARED.filter(
    (field) =>
      asked[field] !== undefined &&
      issued[field] !== undefined &&
      JSON.stringify(asked[field]) !== JSON.stringify(issued[field]),
  ).map(
    (field) =>
      `${field} is ${JSON.stringify(issued[field])} where ${JSON.stringify(asked[field])} was asked for`,
  );
}
