import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import { refuseNetworkFileSystem, requireRights } from "../../lib/filesystem.ts";
import type { Random } from "../../lib/random.ts";
import { type Backing, type HeldSecret, recordStore } from "../record-store.ts";
import type { Store } from "../store.ts";
import { removeLeftovers, replaceFiles, syncDirectories, type Unsynced } from "./atomic-write.ts";
import { checkSecret } from "./check.ts";
import { checkDirectory, checkModes, makeDirectory } from "./directories.ts";
import { fsError } from "./fs-errors.ts";
import { makeLock, withLock } from "./lock.ts";
import { storePaths } from "./paths.ts";
import { type Modes, secretFiles } from "./secret-files.ts";

/** How long what a process has left that died while it wrote may lie there while another works on, in milliseconds. */
const SWEEP_EVERY_MS = 60_000;

/**
 * A store in a directory of a local disk:
 *
 *     <path>/<secret>                        what consumers read: the value alone
 *     <path>/<secret>.json                   the same for a secret with fields: the JSON object
 *     <path>/.keyturn/records/<secret>.json  versions, owner: for keyturn's user alone
 *     <path>/.keyturn/lock.db                the lock that all processes share
 *
 * Nothing is made before there is something to write. A file of a person's own in place of a
 * consumer file is the secret's first current version.
 */
export function fileStore(
  name: string,
  config: { path: string; mode: string; dirMode: string },
  parts: { clock: Clock; random: Random },
): Store {
  const paths = storePaths(config.path);
  const modes: Modes = { mode: Number.parseInt(config.mode, 8), dirMode: Number.parseInt(config.dirMode, 8) };
  const { clock, random } = parts;
  /** When each directory was last swept. */
  const swept = new Map<string, number>();
  let prepared = false;
  let ignored = false;

  /** Makes what the lock needs; looks at the file system once. */
  const prepare = async (unsynced: Unsynced) => {
    if (!prepared) await refuseNetworkFileSystem(paths.root);
    makeDirectory(paths.root, modes.dirMode, unsynced);
    checkDirectory(paths.root, modes.dirMode, { mayBeLink: true });
    makeDirectory(paths.private, 0o700, unsynced);
    checkDirectory(paths.private, 0o700, { mayBeLink: false });
    makeLock(paths.lock);
    prepared = true;
  };

  /** Not at each write: a directory of many secrets takes long to read. */
  const sweepSometimes = (directory: string) => {
    const now = clock.now();
    if (Math.abs(now - (swept.get(directory) ?? Number.NEGATIVE_INFINITY)) < SWEEP_EVERY_MS) return;
    removeLeftovers(directory);
    swept.set(directory, now);
  };

  const hold: Backing["hold"] = async (ref, work) => {
    try {
      checkModes(modes);
      requireRights(paths.root);
      const unsynced: Unsynced = new Set();
      const files = secretFiles(ref, paths, modes, unsynced);
      const seen = beforeFirstWrite(paths.private, () => {
        const { record, warnings } = files.load(clock.now());
        return work({ found: record, warnings, save: needsLock });
      });
      if (seen) return seen.value;

      await prepare(unsynced);
      const value = await withLock(paths.lock, parts, () => {
        const { record, render, keep, warnings } = files.load(clock.now());
        for (const directory of [paths.private, ...files.directories]) sweepSometimes(directory);
        if (!ignored) for (const directory of paths.ignored) keepOutOfGit(directory, unsynced, random);
        ignored = true;
        if (record?.current && render) files.render(record.current.content, random);
        if (record && keep) files.save(record, record, random);
        return work({ found: record, warnings, save: (next) => files.save(next, record, random) });
      });
      // Without the lock: others may see already what is not durable yet, and whoever would act on it
      // waits for the lease that this caller has.
      await syncDirectories(unsynced);
      return value;
    } catch (thrown) {
      throw fsError(thrown, paths.root);
    }
  };
  return {
    ...recordStore(name, `file:${paths.root}`, { hold }, clock),
    check: (ref) => checkSecret(ref, paths, modes, parts),
  };
}

const LOCK_NEEDED = Symbol("lock needed");

const needsLock: HeldSecret["save"] = () => {
  throw LOCK_NEEDED;
};

/**
 * Looks without the lock as long as keyturn has never written here: there is a person's one file
 * at most, and a look must leave nothing behind. Undefined when the lock is needed after all,
 * because something is to be saved or another process has begun to write.
 */
function beforeFirstWrite<T>(directory: string, look: () => T): { value: T } | undefined {
  if (existsSync(directory)) return undefined;
  try {
    const value = look();
    return existsSync(directory) ? undefined : { value };
  } catch (thrown) {
    if (thrown === LOCK_NEEDED || existsSync(directory)) return undefined;
    throw thrown;
  }
}

function keepOutOfGit(directory: string, unsynced: Unsynced, random: Random): void {
  const path = join(directory, ".gitignore");
  if (!existsSync(path)) replaceFiles([{ path, text: "*\n", mode: 0o600 }], unsynced, random);
}
