import type { Secret } from "../lib/secret.ts";

/** What each replacement is created with; `undefined` leaves the provider's default. Amounts in credits (USD). */
export interface KeySettings {
  limit?: number | null;
  limitReset?: "daily" | "weekly" | "monthly" | null;
  includeByokInLimit?: boolean;
  /** An ISO 8601 instant in UTC with seconds, or null for none. Fixed at creation. */
  expiresAt?: string | null;
  /** OpenRouter; fixed at creation. */
  workspaceId?: string;
  /** OpenRouter; fixed at creation. */
  creatorUserId?: string | null;
  /** ARouter. */
  allowedProviders?: string[];
  /** ARouter. */
  allowedModels?: string[];
}

/** The part of the settings that a key in use can still be given. */
export type KeyPatch = Omit<KeySettings, "expiresAt" | "workspaceId" | "creatorUserId"> & {
  name?: string;
  disabled?: boolean;
};

/** A key as the provider shows it. Only `hash` is sure to be there; the rest is what the answer held. */
export interface IssuedKey extends KeySettings {
  hash: string;
  name?: string;
  /** Masked form, display only. */
  label?: string;
  disabled?: boolean;
  limitRemaining?: number | null;
  /** Credits spent in total. There is no last-used time. */
  usage?: number;
  /** Spent through the account's own provider keys. */
  byokUsage?: number;
  /** ISO 8601. */
  createdAt?: string;
  updatedAt?: string | null;
  /** The object as it came, for display; never holds a plaintext key. */
  raw: Readonly<Record<string, unknown>>;
}

/** What a key learns by asking about itself; neither its hash nor its name. */
export interface CurrentKey {
  label?: string;
  usage?: number;
  limit?: number | null;
  limitRemaining?: number | null;
  expiresAt?: string | null;
  isManagementKey?: boolean;
  raw: Readonly<Record<string, unknown>>;
}

/** The answer to "is this plaintext key accepted now?". A provider's 401 does not say why. */
export type Acceptance = { accepted: true; key: CurrentKey } | { accepted: false };

/**
 * Issues keys. Every method throws RotationError: `unauthorized` or `forbidden` for the management
 * key, `rejected`, `throttled`, `unreachable`, `unclear` (may have happened), `malformed`.
 * Everything but `create` is repeated inside on weather; `create` is sent once, by any layer.
 */
export interface Provider {
  /** The name in the policy. */
  readonly name: string;
  /** Every key of the workspaces named, disabled ones included, walked to the last page. The default workspace is always walked. */
  list(workspaces?: readonly string[]): Promise<IssuedKey[]>;
  /** The key with that hash, or undefined when the provider answers that there is none. */
  get(hash: string): Promise<IssuedKey | undefined>;
  /** Issues a key: sent once. `unclear` and `malformed` mean that a key of that name may exist. */
  create(name: string, settings: KeySettings): Promise<{ key: Secret; issued: IssuedKey }>;
  update(hash: string, patch: KeyPatch): Promise<IssuedKey>;
  /** `absent` when the provider answers 404: whether that means deleted is the caller's question (R7). */
  delete(hash: string): Promise<"deleted" | "absent">;
  /** Asks with `key` itself. */
  current(key: Secret): Promise<Acceptance>;
  /** Provider clock less ours in milliseconds, from the latest answer's Date header; undefined before the first. */
  skewMs(): number | undefined;
}
