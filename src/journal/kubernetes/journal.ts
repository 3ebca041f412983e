import { RotationError } from "../../lib/errors.ts";
import { randomId } from "../../lib/random.ts";
import type { EventRecord, NewEvent, NoticeRecord, RequestRecord } from "../document.ts";
import type {
  Change,
  DamagedEntry,
  HistoryFilter,
  Journal,
  Lease,
  ListedEntry,
  TargetView,
} from "../journal.ts";
import { afterTelling, oldestFirst, type Told, withNotices } from "../outbox.ts";
import { entryOrDamage, requestTaken, requireLease } from "../rules.ts";
import type { Announcer } from "./announce.ts";
import { inBatches } from "./batches.ts";
import {
  documentOf,
  type Entry,
  keptDocument,
  newEntry,
  readEntry,
  refuseMoved,
  writeEntry,
} from "./entry.ts";
import { appended, chosen, mergeEvents, parseEvents } from "./event-lines.ts";
import { KnownEntries } from "./known.ts";
import { type LeaseParts, Leases } from "./leases.ts";
import type { Log } from "./log.ts";
import { objectName } from "./names.ts";
import type { Objects } from "./objects.ts";
import { persist } from "./persist.ts";
import { NUMBERS, Register } from "./register.ts";
import { edited, requireRoot } from "./root.ts";

export interface JournalParts extends LeaseParts {
  announcer: Announcer;
  log: Log;
}

/** What a write makes of an entry. */
interface Written {
  state: Entry["state"];
  document?: string;
  /** Set where the document gains hashes: all that the target is to claim. */
  claims?: ReadonlySet<string> | undefined;
  /** The epoch that the events bear. */
  epoch: number;
}

const WRITES_REMEMBERED = 16;
/** How often every target is looked at for notices; in between, those that were seen with some. Milliseconds. */
const WHOLE_LOOK_MS = 60_000;
/** How long a closing journal waits for the Kubernetes Events that are still to be sent, in milliseconds. */
const LAST_EVENTS_MS = 2_000;

/**
 * The journal in ConfigMaps and Leases. Each write of an entry is conditional on the version that
 * was read, in which the epoch that stands is compared with the lease's. Taking a lease writes its
 * epoch there, so that whatever an earlier holder has still on its way fails, however late it comes.
 */
export class KubernetesJournal implements Journal {
  readonly id: string;
  readonly #parts: JournalParts;
  readonly #objects: Objects;
  readonly #register: Register;
  readonly #leases: Leases;
  /** Of targets whose lease is ours. */
  readonly #known = new KnownEntries();
  /** Targets that may have notices, as far as this process has seen. */
  readonly #noticed = new Set<string>();
  /** When every target was last looked at for notices. */
  #looked = Number.NEGATIVE_INFINITY;
  #open = true;

  constructor(id: string, parts: JournalParts) {
    this.id = id;
    this.#parts = parts;
    this.#objects = parts.objects;
    this.#register = new Register(parts.objects, id, parts);
    this.#leases = new Leases(parts);
  }

  async read(target: string): Promise<TargetView> {
    this.#requireOpen();
    const entry = await this.#entry(target);
    const document = documentOf(entry);
    if (this.#leases.holds(target)) this.#known.remember(entry);
    return { target, document, requests: entry.state.requests.map((request) => ({ ...request })) };
  }

  async all(): Promise<(ListedEntry | DamagedEntry)[]> {
    this.#requireOpen();
    const targets = [...(await this.#register.targets())].sort();
    const found = await inBatches(targets, async (target) => {
      const entry = await this.#entry(target).catch(damage);
      if (entry instanceof RotationError) return { target, error: entry };
      if (entry.document === undefined) return undefined;
      return entryOrDamage(target, () => ({
        target,
        document: documentOf(entry),
        ...(entry.state.requests.length > 0 ? { asked: true } : {}),
      }));
    });
    return found.filter((entry) => entry !== undefined);
  }

  async each(see: (entry: ListedEntry | DamagedEntry) => void): Promise<void> {
    for (const entry of await this.all()) see(entry);
  }

  async ownerOf(hash: string): Promise<string | undefined> {
    this.#requireOpen();
    return await this.#register.ownerOf(hash);
  }

  async acquire(target: string, ttlMs: number): Promise<Lease | undefined> {
    this.#requireOpen();
    return await this.#leases.acquire(target, ttlMs, () => this.#entry(target));
  }

  async renew(lease: Lease, ttlMs: number): Promise<void> {
    this.#requireOpen();
    await this.#leases.renew(lease, ttlMs);
  }

  async release(lease: Lease): Promise<void> {
    this.#requireOpen();
    this.#known.take(lease.target);
    await this.#leases.release(lease);
  }

  async commit(lease: Lease, change: Change): Promise<void> {
    const { document, events, requestsDone = [], notices = [] } = change;
    this.#requireOpen();
    this.#leases.requireHeld(lease);
    const kept = keptDocument(document);
    const hashes = new Set(Object.keys(document.issued));
    let dropped: string[] = [];
    await this.#write(
      lease.target,
      events,
      (entry) => {
        requireLease(lease, { ...entry.state, until: 0 });
        const held = hashesOf(entry);
        dropped = [...held].filter((hash) => !hashes.has(hash));
        const requests = entry.state.requests.filter(({ id }) => !requestsDone.includes(id));
        return {
          state: outboxed({ ...entry.state, requests }, (kept) => withNotices(kept, notices)),
          document: kept,
          claims: [...hashes].every((hash) => held.has(hash)) ? undefined : new Set([...held, ...hashes]),
          epoch: lease.epoch,
        };
      },
      this.#known.take(lease.target),
    );
    if (dropped.length > 0) await this.#register.drop(lease.target, dropped);
  }

  async request(request: RequestRecord, event: NewEvent): Promise<void> {
    this.#requireOpen();
    await this.#write(request.target, [event], ({ state }) => {
      if (state.requests.some(({ id }) => id === request.id)) throw requestTaken(request.id);
      return { state: { ...state, requests: [...state.requests, request] }, epoch: state.epoch };
    });
  }

  async notices(): Promise<NoticeRecord[]> {
    this.#requireOpen();
    const now = this.#parts.clock.now();
    const whole = Math.abs(now - this.#looked) >= WHOLE_LOOK_MS;
    const targets = [...(whole ? await this.#register.targets() : this.#noticed)];
    if (whole) this.#noticed.clear();
    const kept = await inBatches(targets, async (target) => {
      const entry = await this.#entry(target).catch(damage);
      return entry instanceof RotationError ? [] : (entry.state.notices ?? []);
    });
    if (whole) this.#looked = now;
    return oldestFirst(kept.flat());
  }

  async delivered(target: string, told: readonly Told[]): Promise<void> {
    this.#requireOpen();
    const tell = (kept: readonly NoticeRecord[]) => afterTelling(kept, told);
    const entry = await this.#entry(target);
    const kept = entry.state.notices ?? [];
    if (tell(kept) === kept) return;
    const change = ({ state }: Entry) => ({ state: outboxed(state, tell), epoch: state.epoch });
    await this.#write(target, [], change, entry);
  }

  async history(filter: HistoryFilter): Promise<EventRecord[]> {
    this.#requireOpen();
    const targets = filter.target === undefined ? [...(await this.#register.targets())] : [filter.target];
    const logs = await inBatches(targets, async (target) => {
      // The event log is for people: it is read where the rest of the entry cannot be.
      const map = await this.#objects.configMap(this.#name(target)).catch((thrown: unknown) => {
        const error = damage(thrown);
        if (filter.target !== undefined) throw error;
        this.#parts.log("warn", { target, hint: error.hint }, `events are left out: ${error.message}`);
        return undefined;
      });
      return parseEvents(target, map?.data?.events ?? "");
    });
    return chosen(mergeEvents(logs), filter);
  }

  async assertWritable(): Promise<void> {
    this.#requireOpen();
    await persist(this.#objects.said("ConfigMap", this.#objects.config.name), this.#parts, async () => {
      const { object } = await requireRoot(this.#objects, this.id);
      await this.#objects.tryConfigMap(object);
    });
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#leases.releaseAll();
    const { announcer, clock } = this.#parts;
    const enough = new AbortController();
    await Promise.race([announcer.settled(), clock.sleep(LAST_EVENTS_MS, enough.signal)]);
    enough.abort();
  }

  /**
   * Changes an entry and appends events, as one write. `change` judges the entry as it stands, at
   * each attempt anew; what it throws ends the write. The first attempt is made over `known`, an
   * entry as it was read before, if there is one.
   */
  async #write(
    target: string,
    events: readonly NewEvent[],
    change: (entry: Entry) => Written,
    known?: Entry,
  ): Promise<void> {
    const token = randomId(this.#parts.random, 4);
    let reserved: number | undefined;
    let seen = known;
    await persist(this.#objects.said("ConfigMap", this.#name(target)), this.#parts, async () => {
      const entry = seen ?? (await this.#entry(target));
      seen = undefined;
      if (entry.state.writes.includes(token)) return;
      refuseMoved(this.#objects, entry.state);
      const { state, document = entry.document, claims, epoch } = change(entry);
      // What the root lists must be there, or it would count as lost.
      if (!entry.begun) entry.object = await writeEntry(this.#objects, entry);
      let { seq } = state;
      const numbers = events.length > seq.end - seq.next && reserved === undefined;
      if (!state.indexed || claims || numbers)
        reserved = (await this.#register.register(target, { hashes: claims, numbers })) ?? reserved;
      if (events.length > seq.end - seq.next && reserved !== undefined)
        seq = { next: reserved, end: reserved + NUMBERS };
      const records = events.map((event, index) => recordOf(event, seq.next + index, target, epoch));
      const next: Entry = {
        ...entry,
        state: {
          ...state,
          indexed: true,
          seq: { ...seq, next: seq.next + events.length },
          writes: [...state.writes, token].slice(-WRITES_REMEMBERED),
        },
        document,
        events: appended(entry.events, records),
      };
      const object = await writeEntry(this.#objects, next);
      if (state.notices) this.#noticed.add(target);
      else this.#noticed.delete(target);
      if (this.#leases.holds(target))
        this.#known.remember({ ...next, begun: true, events: object.data?.events ?? "", object });
      this.#parts.announcer.announce(object, records);
    });
  }

  /** A target's entry; a new one where there never was any. Throws `unusable` where there must be one and is none. */
  async #entry(target: string): Promise<Entry> {
    const { entry, object } = await readEntry(this.#objects, this.id, target);
    if (entry) {
      if (entry.state.notices) this.#noticed.add(target);
      return entry;
    }
    if ((await this.#register.targets()).has(target)) {
      const where = this.#objects.said("ConfigMap", this.#name(target));
      throw edited(
        `the journal's entry for ${target} is gone: ${where} ${object ? "is empty" : "is not there"};`,
        "restore it from a copy",
      );
    }
    return newEntry(this.id, target, object);
  }

  #name(target: string): string {
    return objectName(this.#objects.config.name, target);
  }

  #requireOpen(): void {
    if (!this.#open) throw new RotationError("internal", "the journal is closed");
  }
}

/** An entry's state with its notices changed. */
function outboxed(
  { notices = [], ...state }: Entry["state"],
  change: (kept: readonly NoticeRecord[]) => readonly NoticeRecord[],
): Entry["state"] {
  const kept = change(notices);
  return kept.length > 0 ? { ...state, notices: kept } : state;
}

function recordOf(event: NewEvent, seq: number, target: string, epoch: number): EventRecord {
  const { at, key, rotation, actor, kind, reason, message, data } = event;
  return {
    seq,
    at,
    target,
    key,
    ...(rotation === undefined ? {} : { rotation }),
    epoch,
    actor,
    kind,
    reason,
    message,
    ...(data === undefined ? {} : { data }),
  };
}

/** What the document holds as it stands; nothing is known of one that cannot be read. */
function hashesOf(entry: Entry): Set<string> {
  try {
    return new Set(Object.keys(documentOf(entry).issued));
  } catch {
    return new Set();
  }
}

/**
 * An entry that cannot be used must not hide the others, nor must one that we may not read: the
 * rights to it may have left with its key. One that could not be asked for is no damage.
 */
function damage(thrown: unknown): RotationError {
  const codes = ["unusable", "newer-version", "forbidden"];
  if (thrown instanceof RotationError && codes.includes(thrown.code)) return thrown;
  throw thrown;
}
