import { RotationError } from "../../lib/errors.ts";
import type { ProviderPolicy } from "../../policy/schema.ts";
import type { KeySettings, Provider } from "../../providers/provider.ts";
import type { Context } from "../context.ts";
import { NONE, type SettingOptions } from "./options.ts";

export interface Chosen {
  name: string;
  type: ProviderPolicy["type"];
  client: Provider;
  /** Those of the policy's keys at this provider. */
  workspaces: string[];
}

/** The provider named, or the only one of the policy. Throws RotationError `usage` when it has several, or none of that name. */
export function choose({ policy, clients }: Context, name: string | undefined): Chosen {
  const names = Object.keys(policy.providers);
  const chosen = name ?? (names.length === 1 ? names[0] : undefined);
  if (chosen === undefined) {
    throw new RotationError("usage", `the policy has ${names.length} providers`, {
      hint: `say which one: --provider ${names.join(" or --provider ")}`,
    });
  }
  const client = clients.provider(chosen);
  const workspaces = policy.keys
    .filter((key) => key.provider === chosen)
    .flatMap(({ settings }) => settings.workspaceId ?? []);
  return { name: chosen, type: policy.providers[chosen]?.type ?? "openrouter", client, workspaces };
}

const TITLES = { openrouter: "OpenRouter", arouter: "ARouter" } as const;

const BELONGS_TO = {
  includeByokInLimit: { flag: "--include-byok-in-limit", type: "openrouter" },
  workspace: { flag: "--workspace", type: "openrouter" },
  creator: { flag: "--creator", type: "openrouter" },
  allowedProvider: { flag: "--allowed-provider", type: "arouter" },
  allowedModel: { flag: "--allowed-model", type: "arouter" },
} as const;

/** Throws RotationError `usage` for an option that the provider has nothing for. */
export function refuseForeign(
  { name, type }: Chosen,
  options: { [K in keyof typeof BELONGS_TO]?: unknown },
): void {
  for (const [field, owner] of Object.entries(BELONGS_TO)) {
    if (owner.type === type || options[field as keyof typeof BELONGS_TO] === undefined) continue;
    throw new RotationError(
      "usage",
      `${owner.flag} is for ${TITLES[owner.type]}; ${name} is ${TITLES[type]}`,
      {
        hint: "leave it out, or name another provider with --provider",
      },
    );
  }
}

/** What the options ask of a key; what was not given is left out. Throws RotationError `usage` for an expiry that has passed. */
export function settingsOf(options: SettingOptions, now: number): KeySettings {
  const { limit, limitReset, includeByokInLimit, allowedProvider, allowedModel, workspace, creator } =
    options;
  const expiresAt =
    options.expiresAfter === undefined
      ? options.expiresAt
      : new Date(now + options.expiresAfter).toISOString().replace(/\.\d{3}Z$/, "Z");
  if (expiresAt !== undefined && Date.parse(expiresAt) <= now) {
    throw new RotationError("usage", `the key would have expired already (${expiresAt})`, {
      hint: "give an instant in the future, or --expires-after 45d",
    });
  }
  return {
    ...(limit !== undefined && { limit: limit === NONE ? null : limit }),
    ...(limitReset !== undefined && { limitReset: limitReset === NONE ? null : limitReset }),
    ...(includeByokInLimit !== undefined && { includeByokInLimit }),
    ...(allowedProvider !== undefined && { allowedProviders: allowedProvider }),
    ...(allowedModel !== undefined && { allowedModels: allowedModel }),
    ...(workspace !== undefined && { workspaceId: workspace }),
    ...(creator !== undefined && { creatorUserId: creator }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

/** Names of this form are those of rotations, which delete at the provider what bears one of theirs. */
export function refuseOurName(name: string): void {
  if (name.trim() === "")
    throw new RotationError("usage", "the name is empty", { hint: "give one to know the key by" });
  if (!name.startsWith("keyturn/")) return;
  throw new RotationError("usage", "names that begin with keyturn/ are those of rotations", {
    hint: "choose another: what bears the name of a lost rotation is deleted",
  });
}
