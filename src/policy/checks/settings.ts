import { formatDuration } from "../duration.ts";
import type { Findings } from "../findings.ts";
import type { SettingsPolicy } from "../schema.ts";
import type { KeyView, PolicyView } from "../view.ts";
import { periodOf } from "./period.ts";

const BELONGS_TO = {
  workspaceId: "openrouter",
  creatorUserId: "openrouter",
  includeByokInLimit: "openrouter",
  allowedProviders: "arouter",
  allowedModels: "arouter",
} as const satisfies Partial<Record<keyof SettingsPolicy, string>>;

const RESETS = {
  daily: { length: 86_400_000, word: "day" },
  weekly: { length: 7 * 86_400_000, word: "week" },
  monthly: { length: 31 * 86_400_000, word: "month" },
} as const;

/** Settings that the key's provider knows, and what a fresh budget with each key adds up to. */
export function checkSettings(key: KeyView, view: PolicyView, findings: Findings): void {
  const { settings, provider } = key.policy;
  if (!settings) return;
  const type = provider === undefined ? undefined : view.providers.get(provider)?.type;
  for (const [field, owner] of Object.entries(BELONGS_TO)) {
    if (type === undefined || type === owner || settings[field as keyof SettingsPolicy] === undefined)
      continue;
    findings.fault(
      view.tree,
      [...key.path, "settings", field],
      `this is a setting of ${owner}; ${provider} is of type ${type}`,
    );
  }
  const { limit, limitReset } = settings;
  if (!limitReset) return;
  if (limit === undefined || limit === null) {
    findings.note(view.tree, [...key.path, "settings", "limitReset"], "this has no effect without a limit");
    return;
  }
  const period = periodOf(key, view);
  const { length, word } = RESETS[limitReset];
  if (!period || limit === 0) return;
  const budgets = Math.ceil(length / period.usual);
  if (budgets > 1) {
    findings.note(
      view.tree,
      [...key.path, "settings", "limit"],
      `each new key starts its limit afresh: rotated every ${formatDuration(period.usual)}, this one may spend up to ${budgets} × ${limit} = ${budgets * limit} a ${word}`,
    );
  }
}
