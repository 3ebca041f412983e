import type { SecretSource } from "../../lib/secret-source.ts";
import type { IssuedKey } from "../../providers/provider.ts";

export const PROVIDERS = ["openrouter", "arouter"] as const;
export type ProviderType = (typeof PROVIDERS)[number];
export const STORES = ["file", "aws", "kubernetes"] as const;
export type StoreType = (typeof STORES)[number];

/** A service that uses the key, and how it is asked. */
export interface ConsumerDraft {
  name: string;
  probe: { urls: string[] } | { rollout: string } | { exec: string[] };
}

/** All that a written policy says, as people give it: durations, paths and `${NAME}` as typed. */
export interface Draft {
  provider: ProviderType;
  managementKey: SecretSource;
  /** OpenRouter: other workspaces whose keys are looked through; the first is the one that keys are issued in. */
  workspaces: string[];
  /** Name of the key in the policy. */
  key: string;
  /** A key that exists: its hash, and all that the provider shows of it where that was asked. */
  adopt?: { hash: string; issued?: IssuedKey };
  /** Cron of five fields, a duration, or none. */
  schedule: string;
  timezone: string;
  store: StoreType;
  /** Of a file store. */
  storePath: string;
  /** Of AWS; the SDK's own when left out. */
  region?: string;
  /** Of Kubernetes. */
  namespace: string;
  context?: string;
  secret: string;
  /** Undefined: the secret is the key alone. */
  field?: string | undefined;
  /** Whether an absent secret is made; the store's default when left out. */
  create?: boolean;
  /** Empty: nobody can be asked. */
  consumers: ConsumerDraft[];
  /** How long both keys live after every consumer has confirmed. */
  retireAfter: string;
  /** Environment variable that holds the URL of a webhook. */
  notifyEnv?: string;
}

/** What stands in for everything that was not said. */
export function draftOf(given: Partial<Draft>): Draft {
  const { provider = "openrouter", key = "payments-api", consumers = [] } = given;
  const prefix = provider.toUpperCase();
  return {
    provider,
    managementKey: { env: `${prefix}_MANAGEMENT_KEY` },
    workspaces: [],
    key,
    schedule: "30d",
    timezone: "Etc/UTC",
    store: "file",
    storePath: "./.keyturn/secrets",
    namespace: "default",
    secret: key,
    field: `${prefix}_API_KEY`,
    consumers,
    retireAfter: consumers.length > 0 ? "10m" : "24h",
    ...given,
  };
}

/** A name for the policy out of the provider's: of one that a rotation gave, the key's own. */
export function keyNameOf({ name = "" }: IssuedKey): string {
  const ours = /^keyturn\/[^/]+\/([^/]+)\//.exec(name)?.[1];
  const plain = (ours ?? name)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+/, "")
    .slice(0, 63)
    .replace(/-+$/, "");
  return plain || "api-key";
}
