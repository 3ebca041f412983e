import type { SQLOutputValue } from "node:sqlite";
import { randomId } from "../../lib/random.ts";
import type { EventRecord, NewEvent, RequestRecord } from "../document.ts";
import { emptyDocument } from "../document.ts";
import type { Change, HistoryFilter, Journal, Lease, TargetEntry } from "../journal.ts";
import {
  hashTaken,
  type LeaseState,
  NO_LEASE,
  parseDocument,
  requestTaken,
  requireLease,
  takeLease,
} from "../rules.ts";
import type { Connection, Parts } from "./connection.ts";
import { appendEvent, selectEvents } from "./events.ts";
import { beginLife, isAlive, type Life } from "./liveness.ts";

type Row = Record<string, SQLOutputValue>;

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

  read(target: string): Promise<TargetEntry> {
    return this.#connection.read(() => {
      const row = this.#sql("SELECT * FROM targets WHERE target = ?").get(target);
      return row ? entryOf(row) : { target, document: emptyDocument(), lease: undefined };
    });
  }

  all(): Promise<TargetEntry[]> {
    return this.#connection.read(() =>
      this.#sql("SELECT * FROM targets WHERE document IS NOT NULL ORDER BY target").all().map(entryOf),
    );
  }

  ownerOf(hash: string): Promise<string | undefined> {
    return this.#connection.read(() => this.#ownerOf(hash));
  }

  acquire(target: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#connection.write(() => {
      const lives = (holder: string) => isAlive(this.#holders, holder);
      const lease = takeLease(this.#lease(target), this.#holder, this.#parts.clock.now(), ttlMs, lives);
      if (lease === undefined) return undefined;
      // The lock comes before the lease, or others would take a new lease for a dead holder's.
      this.#life ??= beginLife(this.#holders, this.#holder);
      this.#sql(
        `INSERT INTO targets (target, holder, epoch, until) VALUES (?, ?, ?, ?)
         ON CONFLICT (target) DO UPDATE SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until`,
      ).run(target, this.#holder, lease.epoch, lease.until);
      return { target, holder: this.#holder, epoch: lease.epoch };
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

  commit(lease: Lease, { document, events, requestsDone = [] }: Change): Promise<void> {
    const { target } = lease;
    return this.#connection.write(() => {
      requireLease(lease, this.#lease(target));
      this.#sql("UPDATE targets SET document = ? WHERE target = ?").run(JSON.stringify(document), target);
      this.#writeHashes(target, Object.keys(document.issued));
      for (const event of events) appendEvent(this.#connection, target, lease.epoch, event);
      for (const id of requestsDone)
        this.#sql("DELETE FROM requests WHERE id = ? AND target = ?").run(id, target);
    });
  }

  request(request: RequestRecord, event: NewEvent): Promise<void> {
    return this.#connection.write(() => {
      if (this.#sql("SELECT 1 FROM requests WHERE id = ?").get(request.id)) throw requestTaken(request.id);
      this.#sql("INSERT INTO requests (id, target, request) VALUES (?, ?, ?)").run(
        request.id,
        request.target,
        JSON.stringify(request),
      );
      appendEvent(this.#connection, request.target, this.#lease(request.target).epoch, event);
    });
  }

  requests(target: string): Promise<RequestRecord[]> {
    return this.#connection.read(() =>
      this.#sql("SELECT request FROM requests WHERE target = ? ORDER BY seq")
        .all(target)
        .map((row) => JSON.parse(String(row.request)) as RequestRecord),
    );
  }

  history(filter: HistoryFilter): Promise<EventRecord[]> {
    return this.#connection.read(() => selectEvents(this.#connection, filter));
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
  const { holder, epoch, until } = leaseOf(row);
  return {
    target,
    document: row.document === null ? emptyDocument() : parseDocument(target, String(row.document)),
    lease: holder === undefined ? undefined : { target, holder, epoch, until },
  };
}
