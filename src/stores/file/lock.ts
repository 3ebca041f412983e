import { accessSync, chmodSync, closeSync, constants, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../lib/clock.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";

/** How long another process is waited for, in milliseconds. Work under the lock takes a few. */
const PATIENCE = 10_000;

/** Primary result codes of SQLite. */
const SQLITE = { PERM: 3, BUSY: 5, LOCKED: 6, READONLY: 8, CANTOPEN: 14 };

/** Makes the lock's file, for this user alone, unless it is there. */
export function makeLock(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, "wx", 0o600);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return;
    throw thrown;
  }
  chmodSync(path, 0o600);
  closeSync(fd);
}

/**
 * Calls `work` while no other process or handle holds the lock. It is an exclusive transaction on
 * an empty SQLite database: the kernel gives it back when its holder ends, however that happens.
 * `work` must not wait for anything. Throws RotationError `busy` when it is held for ten seconds.
 *
 * The file must never be opened by other means while it may be held: closing any descriptor of it
 * would drop the process's locks.
 */
export async function withLock<T>(
  path: string,
  parts: { clock: Clock; random: Random },
  work: () => T,
): Promise<T> {
  for (let waited = 0; ; ) {
    const held = tryLock(path);
    if (held) {
      try {
        return work();
      } finally {
        held.close();
      }
    }
    if (waited >= PATIENCE) {
      throw new RotationError("busy", `another process holds the store's lock ${path}`, {
        hint: "it is released when that process ends; look for one that is stopped or hangs",
      });
    }
    const pause = 2 + parts.random.fraction() * 20;
    await parts.clock.sleep(pause);
    waited += pause;
  }
}

/** The database with the lock held until it is closed; undefined when another holds it. */
function tryLock(path: string): DatabaseSync | undefined {
  // SQLite quietly takes a shared lock only where it may not write.
  accessSync(path, constants.R_OK | constants.W_OK);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    // Nothing is ever written, so the rollback journal need not be a file; WAL would not exclude on its own.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
    return database;
  } catch (thrown) {
    database?.close();
    const code = ((thrown as { errcode?: number }).errcode ?? 0) & 0xff;
    if (code === SQLITE.BUSY || code === SQLITE.LOCKED) return undefined;
    const denied = code === SQLITE.PERM || code === SQLITE.READONLY || code === SQLITE.CANTOPEN;
    throw new RotationError(
      denied ? "forbidden" : "unusable",
      `the store's lock ${path} cannot be taken: ${(thrown as Error).message}`,
      {
        hint: denied
          ? "give this user the right to write it, or run as its owner"
          : "stop every keyturn process on this store and delete the file; it holds no data",
        cause: thrown,
      },
    );
  }
}
