import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import { type Random, randomId } from "../lib/random.ts";
import type { EventRecord, NewEvent, NoticeRecord, RequestRecord, TargetDocument } from "./document.ts";
import { emptyDocument } from "./document.ts";
import type { HistoryFilter, Journal, TargetEntry } from "./journal.ts";
import { afterTelling, oldestFirst, withNotices } from "./outbox.ts";
import {
  entryOrDamage,
  hashTaken,
  type LeaseState,
  NO_LEASE,
  parseDocument,
  requestTaken,
  requireLease,
  takeLease,
} from "./rules.ts";

/** What outlives a process: the "disk" that several memory journals share. Everything is kept as JSON text, so that nobody holds a part of it. */
export interface MemoryJournalState {
  readonly id: string;
  readonly documents: Map<string, string>;
  readonly leases: Map<string, LeaseState>;
  readonly hashes: Map<string, string>;
  readonly requests: Map<string, { target: string; text: string }>;
  readonly events: string[];
  /** By target, its notices. */
  readonly outbox: Map<string, string>;
  /** Holders whose process lives. */
  readonly living: Set<string>;
}

export function memoryJournalState(random: Random): MemoryJournalState {
  return {
    id: randomId(random, 16),
    documents: new Map(),
    leases: new Map(),
    hashes: new Map(),
    requests: new Map(),
    events: [],
    outbox: new Map(),
    living: new Set(),
  };
}

export interface MemoryJournal extends Journal {
  /** What SIGKILL does: the leases stay behind as a dead holder's, and every later call on this handle throws and changes nothing. */
  kill(): void;
}

/** A journal in memory, held to the same contract as the one on disk. Handles over one `shared` state are processes on one journal. */
export function memoryJournal(
  { clock, random }: { clock: Clock; random: Random },
  shared: MemoryJournalState = memoryJournalState(random),
): MemoryJournal {
  const me = randomId(random);
  let open = true;

  const requireOpen = () => {
    if (!open) throw new RotationError("internal", "the journal is closed");
  };
  const leaseOf = (target: string) => shared.leases.get(target) ?? NO_LEASE;
  const entryOf = (target: string): TargetEntry => {
    const text = shared.documents.get(target);
    return { target, document: text === undefined ? emptyDocument() : readDocument(shared, target, text) };
  };
  const isAsked = (target: string) =>
    [...shared.requests.values()].some((request) => request.target === target);
  const append = (
    target: string,
    epoch: number,
    { at, key, rotation, actor, kind, reason, message, data }: NewEvent,
  ) => {
    const seq = shared.events.length + 1;
    shared.events.push(
      JSON.stringify({ seq, at, target, key, rotation, epoch, actor, kind, reason, message, data }),
    );
  };
  const noticesOf = (target: string) => JSON.parse(shared.outbox.get(target) ?? "[]") as NoticeRecord[];
  const end = () => {
    open = false;
    shared.living.delete(me);
  };

  return {
    id: shared.id,

    async read(target) {
      requireOpen();
      const asked = [...shared.requests.values()].filter((request) => request.target === target);
      return { ...entryOf(target), requests: asked.map(({ text }) => JSON.parse(text) as RequestRecord) };
    },

    async all() {
      requireOpen();
      return [...shared.documents.keys()]
        .sort()
        .map((target) =>
          entryOrDamage(target, () => ({ ...entryOf(target), ...(isAsked(target) ? { asked: true } : {}) })),
        );
    },

    async each(see) {
      for (const entry of await this.all()) see(entry);
    },

    async ownerOf(hash) {
      requireOpen();
      return shared.hashes.get(hash);
    },

    async acquire(target, ttlMs) {
      requireOpen();
      const lease = takeLease(leaseOf(target), me, clock.now(), ttlMs, (holder) => shared.living.has(holder));
      shared.leases.set(target, lease);
      if (lease.holder !== me) return undefined;
      shared.living.add(me);
      return { target, holder: me, epoch: lease.epoch };
    },

    async renew(lease, ttlMs) {
      requireOpen();
      const kept = leaseOf(lease.target);
      requireLease(lease, kept);
      shared.leases.set(lease.target, { ...kept, until: clock.now() + ttlMs });
    },

    async release(lease) {
      requireOpen();
      const { holder, epoch } = leaseOf(lease.target);
      if (holder === lease.holder && epoch === lease.epoch) {
        shared.leases.set(lease.target, { holder: undefined, epoch, until: 0 });
      }
    },

    async commit(lease, { document, events, requestsDone = [], notices = [] }) {
      requireOpen();
      const { target } = lease;
      requireLease(lease, leaseOf(target));
      const hashes = Object.keys(document.issued);
      for (const hash of hashes) {
        const owner = shared.hashes.get(hash);
        if (owner !== undefined && owner !== target) throw hashTaken(hash, target, owner);
      }
      for (const [hash, owner] of shared.hashes) if (owner === target) shared.hashes.delete(hash);
      for (const hash of hashes) shared.hashes.set(hash, target);
      shared.documents.set(target, JSON.stringify(document));
      for (const event of events) append(target, lease.epoch, event);
      for (const id of requestsDone)
        if (shared.requests.get(id)?.target === target) shared.requests.delete(id);
      if (notices.length > 0)
        shared.outbox.set(target, JSON.stringify(withNotices(noticesOf(target), notices)));
    },

    async request(request, event) {
      requireOpen();
      if (shared.requests.has(request.id)) throw requestTaken(request.id);
      shared.requests.set(request.id, { target: request.target, text: JSON.stringify(request) });
      append(request.target, leaseOf(request.target).epoch, event);
    },

    async notices() {
      requireOpen();
      return oldestFirst([...shared.outbox.keys()].flatMap(noticesOf));
    },

    async delivered(target, told) {
      requireOpen();
      const left = afterTelling(noticesOf(target), told);
      if (left.length > 0) shared.outbox.set(target, JSON.stringify(left));
      else shared.outbox.delete(target);
    },

    async history({ limit, ...filter }) {
      requireOpen();
      const events = eventsOf(shared).filter((event) => matches(event, filter));
      return limit === undefined ? events : events.slice(Math.max(0, events.length - limit));
    },

    async assertWritable() {
      requireOpen();
    },

    async close() {
      end();
    },

    kill: end,
  };
}

const readDocuments = new WeakMap<
  MemoryJournalState,
  Map<string, { text: string; document: TargetDocument }>
>();

/** A kept document, read once. Nobody can change it. */
function readDocument(shared: MemoryJournalState, target: string, text: string): TargetDocument {
  const read = readDocuments.get(shared) ?? new Map();
  readDocuments.set(shared, read);
  const known = read.get(target);
  if (known?.text === text) return known.document;
  const document = deepFreeze(parseDocument(target, text));
  read.set(target, { text, document });
  return document;
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}

const readEvents = new WeakMap<MemoryJournalState, EventRecord[]>();

/** Every event of the log, each read once. */
function eventsOf(shared: MemoryJournalState): readonly EventRecord[] {
  const read = readEvents.get(shared) ?? [];
  readEvents.set(shared, read);
  for (const text of shared.events.slice(read.length))
    read.push(Object.freeze(JSON.parse(text) as EventRecord));
  return read;
}

function matches(event: EventRecord, { key, rotation, target, afterSeq }: HistoryFilter): boolean {
  return (
    (key === undefined || event.key === key) &&
    (rotation === undefined || event.rotation === rotation) &&
    (target === undefined || event.target === target) &&
    (afterSeq === undefined || event.seq > afterSeq)
  );
}
