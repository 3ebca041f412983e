import { closeSync, fsyncSync, openSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Connection, Parts } from "./connection.ts";
import type { Migration } from "./schema.ts";

/**
 * Brings the journal to the newest schema, one transaction a step. Two processes may do so at
 * once: each step looks at the version again under the write lock. A step that fails leaves the
 * journal as it was.
 */
export async function migrate(
  connection: Connection,
  parts: Parts,
  migrations: readonly Migration[],
): Promise<void> {
  while (await connection.write(() => step(connection, parts, migrations))) {
    // Until a step finds nothing left to do.
  }
}

function step(connection: Connection, parts: Parts, migrations: readonly Migration[]): boolean {
  const version = Number(connection.sql("PRAGMA user_version").get()?.user_version);
  const migration = migrations[version];
  if (migration === undefined) return false;
  const copy = version === 0 ? undefined : copyJournal(connection.path, version, parts.clock.now());
  try {
    migration.up(connection, parts);
    connection.sql("UPDATE meta SET needs = ?").run(migration.since);
    connection.exec(`PRAGMA user_version = ${version + 1}`);
  } catch (thrown) {
    if (copy !== undefined) rmSync(copy, { force: true });
    throw thrown;
  }
  return true;
}

/**
 * Copies the journal as it was last committed to a file beside it. A connection of its own reads
 * it, while the caller's write lock keeps everybody from committing more.
 */
function copyJournal(path: string, version: number, now: number): string {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
  const copy = `${path}.v${version}-${time}.bak`;
  rmSync(copy, { force: true }); // left by a step that was killed within this very second
  closeSync(openSync(copy, "wx", 0o600));
  const db = new DatabaseSync(path);
  try {
    db.prepare("VACUUM INTO ?").run(copy);
  } finally {
    db.close();
  }
  const file = openSync(copy, "r");
  fsyncSync(file);
  closeSync(file);
  return copy;
}
