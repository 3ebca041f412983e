import type { RotationError } from "../lib/errors.ts";
import type { EventRecord, NewEvent, NoticeRecord, RequestRecord, TargetDocument } from "./document.ts";
import type { Told } from "./outbox.ts";

/** Permission to write one target's document, until it ends or is taken over. */
export interface Lease {
  target: string;
  holder: string;
  /** Grows with every change of holder; every write is conditional on it. */
  epoch: number;
}

export interface TargetEntry {
  target: string;
  document: TargetDocument;
}

/** A target as a reading of the whole journal shows it. */
export interface ListedEntry extends TargetEntry {
  /** Set when it has requests that are not yet answered. */
  asked?: true;
}

/** A target as a pass over it looks at it. */
export interface TargetView extends TargetEntry {
  /** Not yet answered, oldest first. */
  requests: RequestRecord[];
}

/** A target whose document is there and cannot be read: what it holds is not known, which is not nothing. */
export interface DamagedEntry {
  target: string;
  /** `unusable`, `newer-version`, or `forbidden`. */
  error: RotationError;
}

/** The entries, when none is damaged: where "it is nowhere in the journal" is to follow. Throws the error of the first damaged one. */
export function undamaged(entries: readonly (TargetEntry | DamagedEntry)[]): TargetEntry[] {
  return entries.map((entry) => {
    if ("error" in entry) throw entry.error;
    return entry;
  });
}

export interface Change {
  document: TargetDocument;
  events: NewEvent[];
  /** Ids of requests that this change answers. */
  requestsDone?: string[];
  /** Kept with the change until {@link Journal.delivered} takes them out. Of one target fifty at most: the oldest yield. */
  notices?: NoticeRecord[];
}

export interface HistoryFilter {
  key?: string;
  rotation?: string;
  target?: string;
  /** Only events after this one. */
  afterSeq?: number;
  /** The newest so many, oldest first. */
  limit?: number;
}

/**
 * The worker's durable memory. A write that returns is on the disk. Throws RotationError:
 * `busy` (the lease is somebody else's now), `full`, `forbidden`, `unusable` (damaged, on a network
 * file system), `newer-version`, `conflict` (a hash that belongs to another target).
 */
export interface Journal {
  /** Drawn when the journal was created; stamped beside secrets (R11). */
  readonly id: string;
  /** What is held of a target, and asked of it; an empty document for one never written. Throws for what is damaged. */
  read(target: string): Promise<TargetView>;
  /** Every target ever written; one damaged document does not hide the others. */
  all(): Promise<(ListedEntry | DamagedEntry)[]>;
  /**
   * Shows each of them to `see`, with pauses, so that a large journal neither fills the memory nor holds
   * up the event loop: all that was written before it began, and of what is written meanwhile some.
   */
  each(see: (entry: ListedEntry | DamagedEntry) => void): Promise<void>;
  /** The target for which a hash is held, if any: a hash belongs to one key. */
  ownerOf(hash: string): Promise<string | undefined>;
  /**
   * Takes the lease for `ttlMs`: free, run out, held by a process that has died, or our own
   * (renewed, epoch kept). Undefined when another live holder has it.
   */
  acquire(target: string, ttlMs: number): Promise<Lease | undefined>;
  /** Makes the lease last `ttlMs` from now; throws `busy` when it is lost. */
  renew(lease: Lease, ttlMs: number): Promise<void>;
  /** Gives the lease back; nothing if it is lost already. */
  release(lease: Lease): Promise<void>;
  /** Writes document and events as one, if the lease's epoch still stands; throws `busy` otherwise. */
  commit(lease: Lease, change: Change): Promise<void>;
  /** Leaves a request for whoever holds the target's lease, with an event saying so. Needs no lease. */
  request(request: RequestRecord, event: NewEvent): Promise<void>;
  /**
   * Every target's notices that are kept, oldest first; of those that other processes have left since
   * the first time it was asked, some only a minute later. What cannot be read is left out: it holds nothing up.
   */
  notices(): Promise<NoticeRecord[]>;
  /** Notes who was told of a target's notices. Needs no lease; what is gone already is no error. */
  delivered(target: string, told: readonly Told[]): Promise<void>;
  history(filter: HistoryFilter): Promise<EventRecord[]>;
  /** Tries whether a commit could be written now, and leaves nothing behind. Throws why it could not, as a write would. */
  assertWritable(): Promise<void>;
  close(): Promise<void>;
}
