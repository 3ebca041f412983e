import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { RotationError } from "../../lib/errors.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { fsError, unlessMissing } from "./fs-errors.ts";

export interface FileWrite {
  path: string;
  text: string;
  mode: number;
}

/** Directories with entries that are not durable yet. */
export type Unsynced = Set<string>;

const TEMPORARY = /^\.keyturn-[0-9a-f]+\.tmp$/;

/**
 * Replaces files, in the order given, each at once. All are written out before the first takes its
 * place, so a full disk changes none of them. What is in them is durable then; that they are in
 * place, after `syncDirectories(unsynced)`. Throws RotationError; `unclear` once the first has taken
 * its place.
 */
export function replaceFiles(writes: readonly FileWrite[], unsynced: Unsynced, random: Random): void {
  const ready: { temporary: string; path: string }[] = [];
  let replaced = 0;
  try {
    for (const write of writes) {
      const temporary = join(dirname(write.path), `.keyturn-${randomId(random)}.tmp`);
      ready.push({ temporary, path: write.path });
      writeTemporary(temporary, write);
    }
    for (const { temporary, path } of ready) {
      unsynced.add(dirname(path));
      renameSync(temporary, path);
      replaced++;
    }
  } catch (thrown) {
    for (const { temporary } of ready.slice(replaced)) rmSync(temporary, { force: true });
    const path = ready[replaced]?.path ?? "";
    const error = fsError(thrown, path);
    throw replaced === 0 ? error : notYetWritten(path, error);
  }
}

/**
 * Makes the entries of directories durable, and forgets them. By handles, not `fsyncSync`, which
 * Node's permission model refuses. Throws RotationError `unclear`: what was written may be lost yet.
 */
export async function syncDirectories(unsynced: Unsynced): Promise<void> {
  for (const directory of unsynced) {
    try {
      await using handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
      await handle.sync();
      unsynced.delete(directory);
    } catch (thrown) {
      throw notYetWritten(directory, fsError(thrown, directory));
    }
  }
}

function notYetWritten(path: string, error: RotationError): RotationError {
  return new RotationError("unclear", `${path} may not be written yet (${error.message})`, {
    hint: "the next look at the store finishes it",
    cause: error,
  });
}

/** Removes temporary files of a process that died. Call it only while nobody else can be writing. */
export function removeLeftovers(directory: string): void {
  for (const name of unlessMissing(() => readdirSync(directory)) ?? []) {
    if (TEMPORARY.test(name)) rmSync(join(directory, name), { force: true });
  }
}

/** With O_SYNC each write is durable when it returns, and with it the owner and mode that were set before. */
const NEW_AND_SYNCED = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_SYNC;

function writeTemporary(temporary: string, write: FileWrite): void {
  const fd = openSync(temporary, NEW_AND_SYNCED, 0o600);
  try {
    keepOwner(temporary, fd, write.path);
    chmodSync(temporary, write.mode);
    writeFileSync(fd, write.text);
  } catch (thrown) {
    throw fsError(thrown, write.path);
  } finally {
    closeSync(fd);
  }
}

/** A consumer under another user still reads the file that takes the place of its own, as far as we may see to it. */
function keepOwner(temporary: string, fd: number, path: string): void {
  const before = unlessMissing(() => lstatSync(path));
  const { uid, gid } = fstatSync(fd);
  if (!before || (before.uid === uid && before.gid === gid)) return;
  if (!mayChown(temporary, before.uid, before.gid)) mayChown(temporary, uid, before.gid);
}

function mayChown(path: string, uid: number, gid: number): boolean {
  try {
    chownSync(path, uid, gid);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EPERM") return false;
    throw thrown;
  }
}
