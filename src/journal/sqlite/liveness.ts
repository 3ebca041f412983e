import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/**
 * Tells a holder that died from one that is slow. Each holder keeps an exclusive lock on a file of
 * its own, `<folder>/<holder>.db`, as long as it lives; the kernel gives the lock up when the
 * process ends, however it ends, and keeps it while the process is merely stopped.
 *
 * Everything here runs under the journal's write lock: a file that was made and not yet locked
 * would otherwise pass for a dead holder's. Nothing else may open these files: closing any
 * descriptor of one drops the process's locks on it.
 */
export interface Life {
  /** Gives the lock up and removes the file; from then on the holder counts as dead. */
  end(): void;
}

/** Starts the life of `holder`, and clears away what dead holders have left. */
export function beginLife(folder: string, holder: string): Life {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".db") && !isAlive(folder, name.slice(0, -".db".length)))
      rmSync(`${folder}/${name}`, { force: true });
  }
  const path = fileOf(folder, holder);
  writeFileSync(path, "", { flag: "wx", mode: 0o600 });
  const db = new DatabaseSync(path, { timeout: 0 });
  // Without a journal file beside it, which a killed holder would leave behind.
  db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  return {
    end: () => {
      db.close();
      rmSync(path, { force: true });
    },
  };
}

/** Whether `holder` still lives. When that can't be found out it counts as alive, and its lease's time decides. */
export function isAlive(folder: string, holder: string): boolean {
  const path = fileOf(folder, holder);
  try {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return false;
    const db = new DatabaseSync(path, { readOnly: true, timeout: 0 });
    try {
      db.prepare("SELECT count(*) FROM sqlite_schema").get();
      return false;
    } finally {
      db.close();
    }
  } catch {
    return existsSync(path);
  }
}

function fileOf(folder: string, holder: string): string {
  return `${folder}/${holder}.db`;
}
