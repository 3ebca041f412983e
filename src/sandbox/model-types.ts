import type { LimitReset, Usage } from "./usage.ts";

/** What the documentation leaves open, in milliseconds on the model's clock; all default to 0. */
export interface Knobs {
  /** From creation until a key is accepted. */
  activationDelay: number;
  /** From disabling until a key is refused. */
  disableDelay: number;
  /** From enabling until a key is accepted again. */
  enableDelay: number;
  /** From deletion until a key is refused; the key endpoints forget it at once. */
  deleteDelay: number;
  /** How far the list lags behind: new keys appear, and deleted ones vanish, so much later. */
  listDelay: number;
  /** Before each answer. */
  latency: number;
  /** From a create that is answered by nothing until it takes effect (fault `late`). */
  lateDelay: number;
  /** Credits per model call. */
  costPerRequest: number;
  /** Fields of a key: as the newest API gives them, or as the older documentation shows. */
  shape: "full" | "seed";
  /** How an ordinary key at a key endpoint is refused. */
  ordinaryKeyStatus: 401 | 403;
}

export interface KeyFields {
  name: string;
  limit: number | null;
  limitReset: LimitReset;
  includeByokInLimit: boolean;
  expiresAt: string | null;
  workspaceId: string;
  creatorUserId: string | null;
  externalUser: string | null;
  /** Null: all. */
  allowedProviders: readonly string[] | null;
  /** Null: all. */
  allowedModels: readonly string[] | null;
}

/** A key as the account sees it; the plaintext is nowhere but in its owner's hands. */
export interface ModelKey extends Readonly<KeyFields> {
  readonly hash: string;
  readonly label: string;
  readonly account: string;
  readonly disabled: boolean;
  readonly createdAt: number;
  readonly updatedAt: number | null;
  readonly usage: Usage;
  readonly byokUsage: Usage;
}

type Changeable =
  | "name"
  | "limit"
  | "limitReset"
  | "includeByokInLimit"
  | "allowedProviders"
  | "allowedModels";
export type KeyChange = Partial<Pick<KeyFields, Changeable>> & { disabled?: boolean };

export interface LoggedRequest {
  at: number;
  method: string;
  path: string;
  /** 0 when no whole answer was given. */
  status: number;
}

export const DEFAULT_KNOBS: Knobs = {
  activationDelay: 0,
  disableDelay: 0,
  enableDelay: 0,
  deleteDelay: 0,
  listDelay: 0,
  latency: 0,
  lateDelay: 10_000,
  costPerRequest: 0.0001,
  shape: "full",
  ordinaryKeyStatus: 403,
};

/** Credits left under the key's limit in its present period; null without a limit. */
export function remainingOf(key: ModelKey): number | null {
  if (key.limit === null) return null;
  const period = key.limitReset ?? "total";
  const spent = key.usage[period] + (key.includeByokInLimit ? key.byokUsage[period] : 0);
  return Math.max(0, key.limit - spent);
}
