import { DatabaseSync } from "node:sqlite";
import { RotationError } from "../../lib/errors.ts";
import { movedAway } from "../place.ts";
import { APPLICATION_ID, MOVED_ID } from "./application.ts";
import { type Parts, patiently } from "./connection.ts";
import { unusableJournal } from "./faults.ts";
import { refuseEmptied, type Traces } from "./traces.ts";

/** Up to this size, in bytes, a whole check takes a tenth of a second at most and is done at every opening. */
const CHEAP_TO_CHECK = 16 * 1024 * 1024;

/** A database has no less than one page, and a page no fewer bytes. SQLite takes a shorter file for an empty one. */
const SMALLEST = 512;

/**
 * Looks at an existing file through a connection that cannot write, so that one we refuse stays
 * as it is. Throws `unusable` for what is damaged, no database or something else's, and
 * `newer-version` for a schema past `known`.
 */
export async function inspect(
  path: string,
  size: number,
  known: number,
  traces: Traces,
  parts: Parts,
): Promise<void> {
  return patiently(path, parts, () => {
    if (size < SMALLEST) throw unusableJournal(path, `is damaged (it has ${size} bytes)`);
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      const version = pragma(db, "user_version");
      const tables = db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.n;
      const application = pragma(db, "application_id");
      const moved = application === MOVED_ID;
      const ours = application === APPLICATION_ID || moved;
      if (!ours && (tables !== 0 || version !== 0))
        throw unusableJournal(path, "is a database of something else");
      if (tables === 0) refuseEmptied(path, traces);
      if (size <= CHEAP_TO_CHECK) requireSound(db, path);
      if (Number(version) > known) throw newerJournal(db, path, Number(version), known);
      if (moved && !parts.evenMoved) throw movedAway(`journal ${path}`);
    } finally {
      db.close();
    }
  });
}

/** The indexes too: through a damaged one a target that is there would be read as none. */
function requireSound(db: DatabaseSync, path: string): void {
  const found = pragma(db, "integrity_check(1)");
  if (found !== "ok") throw unusableJournal(path, `is damaged (${String(found).split("\n")[0]})`);
}

function newerJournal(db: DatabaseSync, path: string, version: number, known: number): RotationError {
  const message = `the journal ${path} has schema ${version}; this keyturn knows ${known}`;
  return new RotationError("newer-version", message, {
    hint: `run keyturn ${neededBy(db)}, or restore the copy ${path}.v${known}-….bak that its upgrade made`,
  });
}

function neededBy(db: DatabaseSync): string {
  try {
    return `${db.prepare("SELECT needs FROM meta").get()?.needs} or newer`;
  } catch {
    return "in the newer version that wrote it";
  }
}

function pragma(db: DatabaseSync, name: string): unknown {
  return Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
}
