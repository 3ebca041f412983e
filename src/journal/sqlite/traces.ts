import { existsSync, statSync } from "node:fs";
import type { RotationError } from "../../lib/errors.ts";
import { unusableJournal } from "./faults.ts";

/**
 * What stands beside a journal that is or was in use. A file that holds nothing beside any of it is
 * a journal that was damaged, and no new one; SQLite itself would throw its write-ahead log away.
 */
export interface Traces {
  /** `PATH-wal`, when there is anything in it. */
  log: string | undefined;
  /** `PATH.holders`. */
  holders: string | undefined;
}

/** Looked for before the file itself: what another process makes in between is then not taken for a trace. */
export function tracesOf(path: string): Traces {
  const log = `${path}-wal`;
  const holders = `${path}.holders`;
  return {
    log: (statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0 ? log : undefined,
    holders: existsSync(holders) ? holders : undefined,
  };
}

/** Throws RotationError `unusable` for a file that is not there (`undefined`) or has no bytes, where it must have had some. */
export function refuseRemains(path: string, size: number | undefined, { log, holders }: Traces): void {
  if (size === undefined && log !== undefined)
    throw remains(path, "is not there, and the newest of it still is", log);
  const trace = log ?? holders;
  if (size === 0 && trace !== undefined) throw remains(path, "is empty, although it was in use", trace);
}

/** For a database without a table in it. */
export function refuseEmptied(path: string, { holders }: Traces): void {
  if (holders !== undefined)
    throw remains(path, "has lost its write-ahead log, and all that it held", holders);
}

function remains(path: string, why: string, trace: string): RotationError {
  const hint = `restore it from a copy, or move it away together with ${path}-wal, -shm and .holders, and start anew with --take-over`;
  return unusableJournal(path, `${why} (${trace})`, hint);
}
