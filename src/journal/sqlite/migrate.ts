import { closeSync, openSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Connection, Parts } from "./connection.ts";
import type { Migration } from "./schema.ts";

/**
 * Brings the journal to the newest schema, one transaction a step; a new one at once. Two processes may do so at
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
  const steps = version === 0 ? migrations : [migration];
  try {
    for (const { up, since } of steps) {
      up(connection, parts);
      connection.sql("UPDATE meta SET needs = ?").run(since);
    }
    connection.exec(`PRAGMA user_version = ${version + steps.length}`);
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
    // Says for the copy too that it is on the disk when the statement returns.
    db.exec("PRAGMA synchronous = FULL");
    db.prepare("VACUUM INTO ?").run(copy);
  } catch (thrown) {
    // Half a copy is none, and a worker that is started again and again would fill the disk with them.
    rmSync(copy, { force: true });
    throw thrown;
  } finally {
    db.close();
  }
  return copy;
}
