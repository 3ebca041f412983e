import { createHash } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { Secret } from "../lib/secret.ts";
import { HashBound } from "./hash-bound.ts";
import {
  DEFAULT_KNOBS,
  type KeyChange,
  type KeyFields,
  type Knobs,
  type LoggedRequest,
  type ModelKey,
  remainingOf,
} from "./model-types.ts";
import { emptyUsage, usageAt, usageWith } from "./usage.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Row = Mutable<ModelKey> & {
  sequence: number;
  /** What the edge that checks keys believes, and what it will believe from `next.at` on. */
  accepted: boolean;
  next?: { at: number; accepted: boolean };
  deletedAt?: number;
};

const PAGE_SIZE = 100;
const DEFAULT_ACCOUNT = "default";

export interface ModelOptions extends Partial<Knobs> {
  clock: Clock;
  random: Random;
  /** What issued keys start with; default sk-or-v1-. */
  prefix?: string;
  /** What management keys start with; default as issued keys. */
  managementPrefix?: string;
}

/**
 * A provider's accounts and keys, in memory and without any wire: what the API's answers are
 * computed from. Everything that happens later happens by the clock, when the model is next asked.
 */
export class ProviderModel {
  /** May be turned at any time. */
  readonly knobs: Knobs;
  /** Every request that reached the API, oldest first, without credentials and bodies. */
  readonly requests: LoggedRequest[] = [];
  readonly clock: Clock;
  readonly random: Random;
  /** Guardrails, BYOK credentials and observability destinations. */
  readonly bound: HashBound;
  readonly #prefix: string;
  readonly #managementPrefix: string;
  readonly #rows = new Map<string, Row>();
  readonly #managers = new Map<string, string>();
  readonly #workspaces = new Map<string, string>();
  readonly #credits = new Map<string, number>();
  #deferred: { at: number; act: () => void }[] = [];
  #sequence = 0;

  constructor({ clock, random, prefix = "sk-or-v1-", managementPrefix = prefix, ...knobs }: ModelOptions) {
    this.clock = clock;
    this.random = random;
    this.bound = new HashBound(clock, () => this.#uuid());
    this.#prefix = prefix;
    this.#managementPrefix = managementPrefix;
    this.knobs = { ...DEFAULT_KNOBS, ...knobs };
  }

  // What a person does at the provider's site.

  /** Makes a management key of an account, or takes the one given. */
  addManagementKey(plaintext = this.#newKey(this.#managementPrefix), account = DEFAULT_ACCOUNT): Secret {
    this.#managers.set(sha256(plaintext), account);
    return new Secret(plaintext);
  }

  revokeManagementKey(key: Secret): void {
    this.#managers.delete(sha256(key.reveal()));
  }

  /** Makes a workspace in an account and returns its id. */
  addWorkspace(account = DEFAULT_ACCOUNT, id = this.#uuid()): string {
    this.#workspaces.set(id, account);
    return id;
  }

  /** The workspace that keys go to, and that is listed, when none is named. */
  defaultWorkspace(account = DEFAULT_ACCOUNT): string {
    const first = [...this.#workspaces].find(([, owner]) => owner === account);
    return first ? first[0] : this.addWorkspace(account);
  }

  hasWorkspace(id: string, account = DEFAULT_ACCOUNT): boolean {
    return this.#workspaces.get(id) === account;
  }

  /** Credits left in an account, whatever its keys' limits; unlimited until set. */
  setCredits(credits: number, account = DEFAULT_ACCOUNT): void {
    this.#credits.set(account, credits);
  }

  // The key endpoints.

  /** Issues a key. `plaintext` seeds one that exists already. */
  create(
    fields: Partial<KeyFields> & { name: string },
    account = DEFAULT_ACCOUNT,
    plaintext = this.#newKey(),
  ): { key: Secret; issued: ModelKey } {
    this.#settle();
    const now = this.clock.now();
    const { activationDelay } = this.knobs;
    const row: Row = {
      name: fields.name,
      limit: fields.limit ?? null,
      limitReset: fields.limitReset ?? null,
      includeByokInLimit: fields.includeByokInLimit ?? false,
      expiresAt: fields.expiresAt ?? null,
      workspaceId: fields.workspaceId ?? this.defaultWorkspace(account),
      creatorUserId: fields.creatorUserId ?? null,
      externalUser: fields.externalUser ?? null,
      allowedProviders: fields.allowedProviders ?? null,
      allowedModels: fields.allowedModels ?? null,
      hash: sha256(plaintext),
      label: `${plaintext.slice(0, 12)}...${plaintext.slice(-4)}`,
      account,
      disabled: false,
      createdAt: now,
      updatedAt: null,
      usage: emptyUsage,
      byokUsage: emptyUsage,
      sequence: this.#sequence++,
      accepted: activationDelay === 0,
      next: activationDelay === 0 ? undefined : { at: now + activationDelay, accepted: true },
    };
    this.#rows.set(row.hash, row);
    return { key: new Secret(plaintext), issued: this.#counted(row) };
  }

  /** The key of that hash, unless it was deleted. */
  key(hash: string, account = DEFAULT_ACCOUNT): ModelKey | undefined {
    this.#settle();
    const row = this.#rows.get(hash);
    return row && row.account === account && row.deletedAt === undefined ? this.#counted(row) : undefined;
  }

  /** A page of the list of a workspace, newest first; of 100 entries unless `limit` says how many. */
  list(
    query: { workspaceId?: string; offset: number; includeDisabled: boolean; limit?: number },
    account = DEFAULT_ACCOUNT,
  ): ModelKey[] {
    this.#settle();
    const workspace = query.workspaceId ?? this.defaultWorkspace(account);
    const asOf = this.clock.now() - this.knobs.listDelay;
    return [...this.#rows.values()]
      .filter((row) => row.account === account && row.workspaceId === workspace)
      .filter((row) => row.createdAt <= asOf && (row.deletedAt === undefined || row.deletedAt > asOf))
      .filter((row) => query.includeDisabled || !row.disabled)
      .sort((a, b) => b.createdAt - a.createdAt || b.sequence - a.sequence)
      .slice(query.offset, query.offset + (query.limit ?? PAGE_SIZE))
      .map((row) => this.#counted(row));
  }

  update(hash: string, change: KeyChange, account = DEFAULT_ACCOUNT): ModelKey | undefined {
    if (!this.key(hash, account)) return undefined;
    const row = this.#rows.get(hash) as Row;
    const { disabled = row.disabled, ...fields } = change;
    if (disabled !== row.disabled) {
      this.#turn(row, !disabled, disabled ? this.knobs.disableDelay : this.knobs.enableDelay);
    }
    Object.assign(row, fields, { disabled, updatedAt: this.clock.now() });
    return this.#counted(row);
  }

  /** Whether there was a key to delete. */
  delete(hash: string, account = DEFAULT_ACCOUNT): boolean {
    if (!this.key(hash, account)) return false;
    const row = this.#rows.get(hash) as Row;
    row.deletedAt = this.clock.now();
    this.#turn(row, false, this.knobs.deleteDelay);
    return true;
  }

  // What a credential is good for.

  /** The account that a plaintext manages, if it is a management key. */
  managedAccount(plaintext: string): string | undefined {
    return this.#managers.get(sha256(plaintext));
  }

  /** The key that a plaintext is, if it is accepted now: known, active, not disabled, deleted or expired. */
  accepted(plaintext: string): ModelKey | undefined {
    this.#settle();
    const row = this.#rows.get(sha256(plaintext));
    if (!row) return undefined;
    this.#believe(row);
    const now = this.clock.now();
    const expired = row.expiresAt !== null && now >= Date.parse(row.expiresAt);
    return row.accepted && !expired ? this.#counted(row) : undefined;
  }

  /** Books a model call on a key; says why not when the account or the key has nothing left. */
  spend(
    hash: string,
    credits: number,
    options: { byok?: boolean } = {},
  ): "spent" | "no-credits" | "over-limit" {
    const row = this.#rows.get(hash);
    if (!row) throw new Error(`the model has no key ${hash}`);
    if (!options.byok) {
      const left = this.#credits.get(row.account) ?? Number.POSITIVE_INFINITY;
      if (left < credits) return "no-credits";
      const remaining = remainingOf(this.#counted(row));
      if (remaining !== null && remaining <= 0) return "over-limit";
      this.#credits.set(row.account, left - credits);
    }
    const which = options.byok ? "byokUsage" : "usage";
    row[which] = usageWith(row[which], credits, this.clock.now());
    return "spent";
  }

  // What a test looks at.

  /** Keys of an account that are neither disabled nor deleted, oldest first. */
  liveKeys(account = DEFAULT_ACCOUNT): ModelKey[] {
    return this.allKeys(account).filter((key) => !key.disabled);
  }

  /** Keys of an account that are not deleted, in every workspace, oldest first. */
  allKeys(account = DEFAULT_ACCOUNT): ModelKey[] {
    this.#settle();
    return [...this.#rows.values()]
      .filter((row) => row.account === account && row.deletedAt === undefined)
      .map((row) => this.#counted(row));
  }

  /** Lets something happen `ms` from now. */
  defer(ms: number, act: () => void): void {
    this.#deferred.push({ at: this.clock.now() + ms, act });
  }

  #settle(): void {
    const now = this.clock.now();
    const due = this.#deferred.filter(({ at }) => at <= now);
    this.#deferred = this.#deferred.filter(({ at }) => at > now);
    for (const { act } of due) act();
  }

  #believe(row: Row): void {
    if (!row.next || this.clock.now() < row.next.at) return;
    row.accepted = row.next.accepted;
    row.next = undefined;
  }

  /** The latest command wins, also over one whose delay is not over. */
  #turn(row: Row, accepted: boolean, delay: number): void {
    this.#believe(row);
    if (delay === 0) row.accepted = accepted;
    row.next = delay === 0 ? undefined : { at: this.clock.now() + delay, accepted };
  }

  /** A copy whose counters are those of the present day, week and month. */
  #counted(row: Row): ModelKey {
    const now = this.clock.now();
    const { sequence: _, accepted: __, next: ___, deletedAt: ____, ...key } = row;
    return { ...key, usage: usageAt(row.usage, now), byokUsage: usageAt(row.byokUsage, now) };
  }

  #newKey(prefix = this.#prefix): string {
    return prefix + Buffer.from(this.random.bytes(32)).toString("hex");
  }

  #uuid(): string {
    const hex = Buffer.from(this.random.bytes(16)).toString("hex");
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
