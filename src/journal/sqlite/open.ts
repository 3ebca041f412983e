import { resolve } from "node:path";
import type { Journal } from "../journal.ts";
import { Connection, type Parts } from "./connection.ts";
import { journalFault } from "./faults.ts";
import { prepareFile } from "./folder.ts";
import { inspect } from "./inspect.ts";
import { SqliteJournal } from "./journal.ts";
import { migrate } from "./migrate.ts";
import { MIGRATIONS, type Migration } from "./schema.ts";
import { tracesOf } from "./traces.ts";

/**
 * Opens the journal at `path`, creating it and its folder when there is none; an empty file counts
 * as none unless something beside it shows that it was in use. A journal that is gone altogether is
 * told from a new one by the stamps beside the secrets (R11). An older
 * schema is brought up to date, after a copy. `migrations` stands in for the schema's own list.
 *
 * Throws RotationError `unusable` (damaged, no journal, on a network file system), `newer-version`,
 * `forbidden`, `full`, or `busy` after about ten seconds. A file that is refused is left as it is.
 */
export async function openSqliteJournal(
  path: string,
  parts: Parts & { migrations?: readonly Migration[] },
): Promise<Journal> {
  const connection = await openConnection(path, parts);
  try {
    return new SqliteJournal(await journalId(connection), connection, parts);
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

/** The same journal's file alone, of the newest schema. */
export async function openConnection(
  path: string,
  parts: Parts & { migrations?: readonly Migration[] },
): Promise<Connection> {
  const file = resolve(path);
  const migrations = parts.migrations ?? MIGRATIONS;
  const traces = tracesOf(file);
  const size = await prepareFile(file, traces).catch((thrown: unknown) => {
    throw journalFault(thrown, file);
  });
  if (size > 0) await inspect(file, size, migrations.length, traces, parts);
  const connection = await Connection.open(file, parts);
  try {
    await migrate(connection, parts, migrations);
    return connection;
  } catch (thrown) {
    connection.close();
    throw thrown;
  }
}

export function journalId(connection: Connection): Promise<string> {
  return connection.read(() => String(connection.sql("SELECT id FROM meta").get()?.id));
}
