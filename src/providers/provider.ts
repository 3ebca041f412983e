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
  /** ARouter; an empty list is no restriction. */
  allowedProviders?: string[];
  /** ARouter; an empty list is no restriction. */
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

/** Something kept at the provider that hangs on a key's hash, so that a replacement goes without it unless it is put on. */
export interface Attachment {
  kind: "guardrail";
  id: string;
}

/** Reads and puts on what hangs on keys. Both are repeated inside on weather, and may be repeated by anybody. */
export interface Attachments {
  /**
   * All that hangs on the key now. Throws `forbidden` where the provider doesn't open these
   * endpoints to the management key (403, and 404 too): what hangs there is then unknown, never none.
   */
  read(hash: string): Promise<Attachment[]>;
  /**
   * Puts each of them on the key and takes nothing off, except that a guardrail replaces another.
   * Acknowledged is not yet seen: `read` verifies. Throws `absent` when one of them is no more.
   */
  put(hash: string, attachments: readonly Attachment[]): Promise<void>;
}

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
  /** Left out by a provider with nothing of the kind. */
  readonly attachments?: Attachments;
  /**
   * What names the key by its hash and cannot be put on its replacement, a sentence each, to be shown
   * to a person; also what of it could not be looked at. Left out by a provider with nothing of the kind.
   */
  uncarried?(hash: string): Promise<string[]>;
}
