import { type Stats, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { movedAway } from "../place.ts";
import { MOVED_ID } from "./application.ts";
import { journalFault, refusedByDisk, unusableJournal } from "./faults.ts";
import { GroupCommit } from "./group-commit.ts";
import { writeAgain } from "./write-again.ts";

export interface Parts {
  clock: Clock;
  random: Random;
  /** Also a journal that was exported to be used elsewhere; only for moving it. */
  evenMoved?: boolean;
}

/** How long SQLite itself may block this thread on a lock, in milliseconds; longer waits are slept outside it. */
const BLOCK_MS = 10;
/** How long a lock is waited for in all, in milliseconds. */
const PATIENCE_MS = 10_000;
const LONGEST_PAUSE_MS = 100;

/**
 * Runs `attempt` until it finds the database unlocked, for about ten seconds. Throws every failure
 * as RotationError; `busy` of SQLite is the only one waited out.
 */
export async function patiently<T>(path: string, { clock, random }: Parts, attempt: () => T): Promise<T> {
  for (let waited = 0, pause = 5; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      return attempt();
    } catch (thrown) {
      const fault = journalFault(thrown, path);
      if (thrown instanceof RotationError || fault.code !== "busy" || waited >= PATIENCE_MS) throw fault;
    }
    const ms = Math.round(pause * (0.5 + random.fraction()));
    await clock.sleep(ms);
    waited += ms;
  }
}

/** One open journal file: durable, patient, and sure that its file is still the one at `path`. */
export class Connection {
  readonly path: string;
  readonly #parts: Parts;
  readonly #db: DatabaseSync;
  readonly #file: Stats;
  readonly #statements = new Map<string, StatementSync>();
  /** The write-ahead log, to wait for the disk. SQLite makes it with the first commit, and keeps it while a connection is open. */
  #log: FileHandle | undefined;
  /**
   * Whether a sync of the log leaves no hole in it on the disk. Unknown of a log that others have
   * begun; and not after a sync that failed: what it failed with, a later one may leave out.
   */
  #isWhole: boolean | undefined;
  readonly #commits = new GroupCommit({
    patiently: (attempt) => patiently(this.path, this.#parts, attempt),
    transaction: (work) => this.#transaction(work),
    durable: () => this.#durable(),
    part: (change) => this.#savepoint(change),
  });

  private constructor(path: string, parts: Parts, db: DatabaseSync) {
    this.path = path;
    this.#parts = parts;
    this.#db = db;
    this.#file = statSync(path);
  }

  /** Opens an existing file for reading and writing. */
  static async open(path: string, parts: Parts): Promise<Connection> {
    const db = await patiently(path, parts, () => new DatabaseSync(path, { timeout: BLOCK_MS }));
    try {
      await patiently(path, parts, () => {
        // SQLite waits for the disk only where a power loss could damage the file; for what is
        // committed `write` waits itself, without holding up this thread.
        db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
      });
      return new Connection(path, parts, db);
    } catch (thrown) {
      db.close();
      throw thrown;
    }
  }

  /** A prepared statement, kept for the next use. */
  sql(text: string): StatementSync {
    const kept = this.#statements.get(text);
    if (kept !== undefined) return kept;
    const statement = this.#db.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  /** Runs statements that take no parameters and aren't kept. */
  exec(text: string): void {
    this.#db.exec(text);
  }

  read<T>(query: () => T): Promise<T> {
    return patiently(this.path, this.#parts, () => {
      this.#requireOpen();
      return query();
    });
  }

  /**
   * Runs `change` in a transaction under the write lock; when this resolves, it is on the disk. When
   * `change` throws, nothing of it is. Other changes may share the transaction, and fail or last by themselves.
   */
  async write<T>(change: () => T): Promise<T> {
    this.#requireOpen();
    return await this.#commits.add(change);
  }

  #transaction(work: () => void): void {
    this.#requireOpen();
    this.#locked(() => {
      this.#requireFile();
      this.#requireHere();
      work();
      this.#db.exec("COMMIT");
    });
  }

  /** Runs `work` under the write lock, upon a log that the next sync leaves whole; what `work` does not commit is undone. */
  #locked(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      if (!this.#isWhole) writeAgain(`${this.path}-wal`);
      this.#isWhole = true;
      work();
    } finally {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    }
  }

  /**
   * Waits until the disk has all that was committed. Where it fails, all of the log is given to it once
   * more. Throws RotationError `unclear`: what was committed may be lost yet.
   */
  async #durable(): Promise<void> {
    try {
      await this.#syncLog().catch(async () => {
        await patiently(this.path, this.#parts, () => this.#mend());
        await this.#syncLog();
      });
    } catch (thrown) {
      throw refusedByDisk(this.path, thrown);
    }
  }

  #mend(): void {
    this.#locked(() => {});
  }

  async #syncLog(): Promise<void> {
    try {
      this.#log ??= await open(`${this.path}-wal`, "r+");
      await this.#log.datasync();
    } catch (thrown) {
      // Whoever closed the journal last has written all of the log into it, and removed it.
      if (!this.#db.isOpen && (thrown as NodeJS.ErrnoException).code === "ENOENT") return;
      this.#isWhole = false;
      throw thrown;
    } finally {
      if (!this.#db.isOpen) this.#closeLog();
    }
  }

  #savepoint<T>(change: () => T): T {
    this.sql("SAVEPOINT part").run();
    let kept = false;
    try {
      const result = change();
      kept = true;
      return result;
    } finally {
      // A full disk may have ended the whole transaction.
      if (this.#db.isTransaction) {
        if (!kept) this.sql("ROLLBACK TO part").run();
        this.sql("RELEASE part").run();
      }
    }
  }

  close(): void {
    try {
      // The last to close copies the log into the database: not one with a hole in it.
      if (this.#db.isOpen && this.#isWhole === false) this.#mend();
    } catch {
      // Locked, or the disk is gone: who opens the journal next mends it before anything is written.
    }
    this.#statements.clear();
    if (this.#db.isOpen) this.#db.close();
    this.#closeLog();
  }

  /** After what still waits for the disk. */
  #closeLog(): void {
    this.#log?.close().catch(() => {});
    this.#log = undefined;
  }

  #requireOpen(): void {
    if (!this.#db.isOpen) throw new RotationError("internal", `the journal ${this.path} is closed`);
  }

  /** It may have been exported while it was open: what is written here from then on would be lost. */
  #requireHere(): void {
    if (this.#parts.evenMoved) return;
    if (this.sql("PRAGMA application_id").get()?.application_id === MOVED_ID)
      throw movedAway(`journal ${this.path}`);
  }

  /** Without this, writes to a file that a person has moved or deleted would seem to last. */
  #requireFile(): void {
    const now = statSync(this.path, { throwIfNoEntry: false });
    if (now?.ino === this.#file.ino && now.dev === this.#file.dev) return;
    throw unusableJournal(this.path, "was moved, replaced or deleted while it was open");
  }
}
