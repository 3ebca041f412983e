import type { SQLOutputValue } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { randomId } from "../../lib/random.ts";
import type { EventRecord, NewEvent, NoticeRecord, RequestRecord, TargetDocument } from "../document.ts";
import { emptyDocument } from "../document.ts";
import type {
  Change,
  DamagedEntry,
  HistoryFilter,
  Journal,
  Lease,
  ListedEntry,
  TargetEntry,
  TargetView,
} from "../journal.ts";
import { oldestFirst, type Told } from "../outbox.ts";
import {
  damagedEntry,
  entryOrDamage,
  hashTaken,
  type LeaseState,
  NO_LEASE,
  parseDocument,
  requestTaken,
  requireLease,
  takeLease,
} from "../rules.ts";
import { seal, unseal } from "../seal.ts";
import type { Connection, Parts } from "./connection.ts";
import { appendEvent, selectEvents } from "./events.ts";
import { beginLife, isAlive, type Life } from "./liveness.ts";
import { addNotices, keptNotices, tellNotices } from "./outbox.ts";

type Row = Record<string, SQLOutputValue>;

/** Targets that are read in one go: with an ordinary document each, a few milliseconds. */
const PAGE = 200;
const NEXT_PAGE = `
  SELECT target, document, EXISTS (SELECT 1 FROM requests WHERE requests.target = targets.target) AS asked
  FROM targets WHERE document IS NOT NULL AND target > ? ORDER BY target LIMIT ?`;

/** The journal in one SQLite file that is open and of the newest schema. */
export class SqliteJournal implements Journal {
  readonly id: string;
  readonly #connection: Connection;
  readonly #parts: Parts;
  readonly #holder: string;
  readonly #holders: string;
  #life: Life | undefined;

  constructor(id: string, connection: Connection, parts: Parts) {
    this.id = id;
    this.#connection = connection;
    this.#parts = parts;
    this.#holder = randomId(parts.random);
    this.#holders = `${connection.path}.holders`;
  }

  read(target: string): Promise<TargetView> {
    return this.#connection.read(() => {
      const row = this.#sql("SELECT target, document FROM targets WHERE target = ?").get(target);
      return {
        ...(row ? entryOf(row) : { target, document: emptyDocument() }),
        requests: this.#sql("SELECT request FROM requests WHERE target = ? ORDER BY seq")
          .all(target)
          .map(({ request }) => requestOf(target, String(request))),
      };
    });
  }

  async all(): Promise<(ListedEntry | DamagedEntry)[]> {
    const found: (ListedEntry | DamagedEntry)[] = [];
    await this.each((entry) => found.push(entry));
    return found;
  }

  async each(see: (entry: ListedEntry | DamagedEntry) => void): Promise<void> {
    for (let after = ""; ; ) {
      const rows = await this.#connection.read(() => this.#sql(NEXT_PAGE).all(after, PAGE));
      for (const row of rows) see(entryOrDamage(String(row.target), () => listedOf(row)));
      if (rows.length < PAGE) return;
      after = String(rows.at(-1)?.target);
      await setImmediate();
    }
  }

  ownerOf(hash: string): Promise<string | undefined> {
    return this.#connection.read(() => this.#ownerOf(hash));
  }

  acquire(target: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#connection.write(() => {
      const lives = (holder: string) => isAlive(this.#holders, holder);
      const kept = this.#lease(target);
      const lease = takeLease(kept, this.#holder, this.#parts.clock.now(), ttlMs, lives);
      const ours = lease.holder === this.#holder;
      if (!ours && lease.until === kept.until) return undefined;
      // The lock comes before the lease, or others would take a new lease for a dead holder's.
      if (ours) this.#life ??= beginLife(this.#holders, this.#holder);
      this.#sql(
        `INSERT INTO targets (target, holder, epoch, until) VALUES (?, ?, ?, ?)
         ON CONFLICT (target) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until`,
      ).run(target, lease.holder ?? null, lease.epoch, lease.until);
      return ours ? { target, holder: this.#holder, epoch: lease.epoch } : undefined;
    });
  }

  renew(lease: Lease, ttlMs: number): Promise<void> {
    return this.#connection.write(() => {
      requireLease(lease, this.#lease(lease.target));
      this.#sql("UPDATE targets SET until = ? WHERE target = ?").run(
        this.#parts.clock.now() + ttlMs,
        lease.target,
      );
    });
  }

  release(lease: Lease): Promise<void> {
    return this.#connection.write(() => {
      this.#sql(
        "UPDATE targets SET holder = NULL, until = 0 WHERE target = ? AND holder = ? AND epoch = ?",
      ).run(lease.target, lease.holder, lease.epoch);
    });
  }

  commit(lease: Lease, { document, events, requestsDone = [], notices = [] }: Change): Promise<void> {
    const { target } = lease;
    return this.#connection.write(() => {
      requireLease(lease, this.#lease(target));
      this.#sql("UPDATE targets SET document = ? WHERE target = ?").run(seal(document), target);
      this.#writeHashes(target, Object.keys(document.issued));
      for (const event of events) appendEvent(this.#connection, target, lease.epoch, event);
      for (const id of requestsDone)
        this.#sql("DELETE FROM requests WHERE id = ? AND target = ?").run(id, target);
      addNotices(this.#connection, target, notices);
    });
  }

  request(request: RequestRecord, event: NewEvent): Promise<void> {
    return this.#connection.write(() => {
      if (this.#sql("SELECT 1 FROM requests WHERE id = ?").get(request.id)) throw requestTaken(request.id);
      this.#sql("INSERT INTO requests (id, target, request) VALUES (?, ?, ?)").run(
        request.id,
        request.target,
        seal(request),
      );
      appendEvent(this.#connection, request.target, this.#lease(request.target).epoch, event);
    });
  }

  notices(): Promise<NoticeRecord[]> {
    return this.#connection.read(() => oldestFirst(keptNotices(this.#connection)));
  }

  delivered(target: string, told: readonly Told[]): Promise<void> {
    return this.#connection.write(() => tellNotices(this.#connection, target, told));
  }

  history(filter: HistoryFilter): Promise<EventRecord[]> {
    return this.#connection.read(() => selectEvents(this.#connection, filter));
  }

  assertWritable(): Promise<void> {
    // The version as it is, written again: SQLite writes a page for it, where a row set to its own value costs none.
    return this.#connection.write(() => {
      const version = Number(this.#sql("PRAGMA user_version").get()?.user_version);
      this.#connection.exec(`PRAGMA user_version = ${version}`);
    });
  }

  async close(): Promise<void> {
    this.#life?.end();
    this.#life = undefined;
    this.#connection.close();
  }

  #sql(text: string) {
    return this.#connection.sql(text);
  }

  #lease(target: string): LeaseState {
    const row = this.#sql("SELECT holder, epoch, until FROM targets WHERE target = ?").get(target);
    return row ? leaseOf(row) : NO_LEASE;
  }

  #ownerOf(hash: string): string | undefined {
    return this.#sql("SELECT target FROM hashes WHERE hash = ?").get(hash)?.target?.toString();
  }

  #writeHashes(target: string, hashes: string[]): void {
    const kept = this.#sql("SELECT hash FROM hashes WHERE target = ?")
      .all(target)
      .map((row) => String(row.hash));
    const gone = kept.filter((hash) => !hashes.includes(hash));
    const added = hashes.filter((hash) => !kept.includes(hash));
    for (const hash of gone) this.#sql("DELETE FROM hashes WHERE hash = ?").run(hash);
    for (const hash of added) {
      const owner = this.#ownerOf(hash);
      if (owner !== undefined) throw hashTaken(hash, target, owner);
      this.#sql("INSERT INTO hashes (hash, target) VALUES (?, ?)").run(hash, target);
    }
  }
}

function leaseOf(row: Row): LeaseState {
  return { holder: row.holder?.toString(), epoch: Number(row.epoch), until: Number(row.until) };
}

function entryOf(row: Row): TargetEntry {
  const target = String(row.target);
  return {
    target,
    document: row.document === null ? emptyDocument() : documentOf(target, String(row.document)),
  };
}

function listedOf(row: Row): ListedEntry {
  return { ...entryOf(row), ...(row.asked === 1 ? { asked: true } : {}) };
}

/** A kept document. Throws RotationError `unusable` when it is damaged, `newer-version`. */
export function documentOf(target: string, sealed: string): TargetDocument {
  return parseDocument(target, kept(sealed, `the journal's entry for ${target}`));
}

/** A kept request. Throws RotationError `unusable` when it is damaged. */
export function requestOf(target: string, sealed: string): RequestRecord {
  const what = `a request for ${target} in the journal`;
  try {
    return JSON.parse(kept(sealed, what)) as RequestRecord;
  } catch {
    throw damagedEntry(what);
  }
}

/** A text without a digest was written before there were any; SQLite itself notices no byte that has changed within one. */
function kept(sealed: string, what: string): string {
  const text = sealed.startsWith("{") ? sealed : unseal(sealed);
  if (text === undefined) throw damagedEntry(what);
  return text;
}
