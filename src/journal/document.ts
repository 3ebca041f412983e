import type { KeyPolicy, NotifyEvent, ProviderPolicy, StorePolicy } from "../policy/schema.ts";

/**
 * What the journal holds of one target (one secret of one store; R10). Plain JSON, instants in
 * epoch milliseconds, never a plaintext key. It is written whole, conditional on the lease's epoch.
 */
export interface TargetDocument {
  version: 1;
  /** By field of the secret; "" for a key that is the whole secret. */
  keys: Record<string, KeyRecord>;
  /** Every key issued or adopted for this target that may still live at the provider, by hash. */
  issued: Record<string, IssuedRecord>;
  /** Every name a key was ever asked for under; they never leave (R7). */
  intents: Record<string, IntentRecord>;
  /** The one open rotation. */
  rotation?: RotationRecord;
  /** Set by every ended rotation: the provider's list is walked once for names that we intended (R7). */
  walk?: { since: number; field: string };
}

export function emptyDocument(): TargetDocument {
  return { version: 1, keys: {}, issued: {}, intents: {} };
}

export interface KeyRecord {
  /** The key's name in the policy, when it was last seen there. */
  name: string;
  provider: string;
  /** What we last made or found current. */
  current?: { hash: string; fingerprint: string; version: string; since: number };
  /** The next instant at which a rotation is due, jitter included; and the digest of what it was computed from. */
  due?: { at: number; basis: string; why: "schedule" | "expiry" };
  /** The due instant for which a rotation was last started: the schedule goes on after it, also where the clock has been set back since. */
  served?: number;
  /** Backoff after failed or reverted rotations. */
  retry?: { at: number; count: number };
  /** When the current key's settings were last compared with the policy's, and where they differed. */
  drift?: { hash: string; at: number; differs: string[] };
  /** The due instant that was last told to be overdue. */
  overdue?: number;
  /** Why nothing is started for this key, when something should be. */
  blocked?: { reason: string; message: string; since: number };
  /** Set by a take-over, until a later look finds nothing. */
  leftBehind?: LeftBehind;
  /** What the latest rotation ran under; its retirements end under it when the policy no longer has the key. */
  policy?: PolicySnapshot;
  /** The latest ended rotation. */
  last?: {
    rotation: string;
    kind: RotationKind;
    outcome: Outcome;
    startedAt: number;
    at: number;
    oldHash?: string;
    newHash?: string;
    message?: string;
  };
}

/** What the journal that kept the secret before has left of a key, and this one can account for nowhere. */
export interface LeftBehind {
  /** When the secret was taken over. */
  since: number;
  /** When it was last looked for. */
  at?: number;
  keys: UndecidedKey[];
}

/** A key that may be ours and cannot be proved to be: it is shown to people and never touched. */
export interface UndecidedKey {
  /** Undefined where the provider knows no key by the value's fingerprint. */
  hash?: string;
  name?: string;
  /** Epoch milliseconds. */
  createdAt?: number;
  disabled?: boolean;
  /** Of a value that was current earlier and that the store still keeps. */
  kept?: { version: string; fingerprint: string };
}

/** One key's part of the policy, whole enough to finish a rotation after the file has changed. Holds no secret, only where secrets are read from. */
export interface PolicySnapshot {
  installation: string;
  key: KeyPolicy;
  provider: ProviderPolicy;
  store: StorePolicy;
}

export interface IssuedRecord {
  hash: string;
  /** Field of the key it was issued for. */
  field: string;
  provider: string;
  origin: "issued" | "adopted";
  name?: string;
  label?: string;
  fingerprint?: string;
  createdAt?: number;
  expiresAt?: number;
  /** What its replacement inherits where the policy leaves something out. */
  settings?: Record<string, unknown>;
  /** The store's version that holds its plaintext, while one does. */
  version?: string;
  /** Earlier versions of the same plaintext, dropped with it. */
  olderVersions?: string[];
  /** The base that a promotion of it expects; it is disabled or deleted only once current has moved past that (R1). */
  promotionBase?: string;
  /** It was current, or a promotion of it may have gone out: consumers may have it. */
  mayBeCurrent?: boolean;
  /** A disable call; `sent` is journalled before it goes out (R2). Removed when the key is seen enabled again. */
  disable?: { sent: number; acknowledged?: number };
  /** A disable call was never acknowledged and may still land: it must never become current again (R2). */
  unsure?: boolean;
  delete?: { sent: number; acknowledged?: number };
  /** Set when the key is to go: disabled if it is not, deleted at `dueAt` or later (R3). */
  retire?: {
    since: number;
    dueAt: number;
    /** Soak between disabling and deleting, in milliseconds. */
    keepFor: number;
    why: string;
    /** Consumers whose word is not asked for, as in the rotation before. */
    waived?: string[];
    /** By `revoke --immediately`: before the replacement, whoever uses it. */
    immediately?: boolean;
  };
  /** By `revoke`: it goes even where consumers have not confirmed, and never becomes current again (R12). */
  distrusted?: boolean;
}

export interface IntentRecord {
  /** The exact name asked for. */
  name: string;
  rotation: string;
  field: string;
  provider: string;
  workspace?: string;
  /** What was asked for, as sent. */
  settings?: Record<string, unknown>;
  plannedAt: number;
  /** Journalled before the create call goes out. */
  sentAt?: number;
  /** The hash that the reply held. */
  hash?: string;
  /** What became of a create without a reply: complete walks that did not show the name. */
  absences?: number;
  /** Nothing more to find out: the hash is known, the create was refused for certain, or what bore the name is deleted. */
  settled?: "issued" | "refused" | "absent" | "deleted";
  /** When what bore the name was last deleted. */
  deletedAt?: number;
}

export type Phase =
  | "planned"
  | "staged"
  | "verified"
  | "promoted"
  | "confirmed"
  | "disabled"
  | "completed"
  | "reverting"
  | "reverted"
  | "failed"
  | "superseded";

export type Outcome = Extract<Phase, "completed" | "reverted" | "failed" | "superseded">;
export type RotationKind = "provision" | "rotate" | "revoke" | "rollback";

export interface RotationRecord {
  id: string;
  kind: RotationKind;
  /** Field of the key being rotated. */
  field: string;
  phase: Phase;
  startedAt: number;
  /** When the present phase was reached. */
  phaseAt: number;
  /** Who asked (`schedule`, `user@host`) and why. */
  actor: string;
  reason: string;
  /** The policy that it ends under, whatever the file says meanwhile. */
  policy: PolicySnapshot;
  /** The key being replaced; absent when provisioning. */
  old?: { hash: string; fingerprint: string; version: string; settings?: Record<string, unknown> };
  /** The replacement. `version` once it is staged. */
  new?: { hash: string; label: string; fingerprint?: string; version?: string; base?: string };
  /** Name of the intent in hand. */
  intent?: string;
  /** Keys created by this rotation whose plaintext never reached the store. */
  lost?: number;
  /** Set when it goes back: why, whether an operator asked, and the version that brings the old value back. */
  revert?: { why: string; asked: boolean; version?: string; base?: string };
  /** When the consumers' time to confirm began. */
  confirmingSince?: number;
  /** Consumers whose confirmation `approve --without` has waived. */
  waived?: string[];
  /** Reload hooks run for the key now expected, by consumer. */
  reloads?: Record<string, { at: number; attempts: number; done: boolean; error?: string }>;
  /** Usage of the old key when it was last read for `requireQuiet`. */
  usage?: { value: number; at: number };
  /** When a person last let it go on; unresolved creates count from there. */
  releasedAt?: number;
  /** Set while a person is waited for; with the phase in which it was held. */
  hold?: { reason: string; message: string; since: number; phase?: Phase };
  /** Attempts at the present step that failed, and the last error. */
  failures?: { count: number; code: string; message: string; hint?: string; at: number };
}

export interface EventRecord {
  /** Unique in the journal; within a target it grows, by one or more. */
  seq: number;
  at: number;
  target: string;
  /** The key's name at that time. */
  key: string;
  rotation?: string;
  epoch: number;
  actor: string;
  /** What happened, from a closed list: `created`, `promoted`, `held` … */
  kind: string;
  /** Reason code of the decision behind it. */
  reason: string;
  /** One sentence for people. */
  message: string;
  /** More facts: hashes, versions, counts. */
  data?: Record<string, unknown>;
}
export type NewEvent = Omit<EventRecord, "seq" | "target" | "epoch">;

export interface RequestRecord {
  id: string;
  target: string;
  field: string;
  kind: "rotate" | "approve" | "rollback" | "revoke" | "take-over";
  actor: string;
  at: number;
  /** approve: the consumer waived. */
  without?: string;
  /** revoke: delete before the replacement is confirmed. */
  immediately?: boolean;
}

/**
 * What somebody is to be told: committed with the change that it tells of, and kept until every
 * destination has taken it. Who that is stands in the policy alone.
 */
export interface NoticeRecord {
  /** Follows from what it tells of, so that receivers know the same by it. */
  id: string;
  target: string;
  field: string;
  event: Exclude<NotifyEvent, "pass">;
  at: number;
  installation: string;
  /** The key's name at that time. */
  key: string;
  provider: string;
  actor: string;
  /** Reason code, as in the event log. */
  reason: string;
  message: string;
  /** What a person can do about it. */
  hint?: string;
  /** Of the rotation that it tells of. */
  rotation?: string;
  kind?: RotationKind;
  phase?: Phase;
  startedAt?: number;
  oldHash?: string;
  newHash?: string;
  /** When the old key is deleted at the earliest. */
  deleteAt?: number;
  /** When it is tried again. */
  retryAt?: number;
  /** The due instant that nothing was started for. */
  dueAt?: number;
  /** Ids of the destinations that have taken it. */
  told?: string[];
  /** How many earlier ones have left since, because there was no room and nobody took them. */
  omitted?: number;
}
