import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { RotationError } from "../../lib/errors.ts";
import { type Random, randomId } from "../../lib/random.ts";
import { fsError, unlessMissing } from "./fs-errors.ts";

export interface FileWrite {
  path: string;
  text: string;
  mode: number;
}

const TEMPORARY = /^\.keyturn-[0-9a-f]+\.tmp$/;

/**
 * Replaces files, in the order given, each at once. All are written out before the first takes its
 * place, so a full disk changes none of them. Throws RotationError; `unclear` once the first has
 * taken its place.
 */
export function replaceFiles(writes: readonly FileWrite[], random: Random): void {
  const ready: { temporary: string; path: string }[] = [];
  let replaced = 0;
  try {
    for (const write of writes) {
      const temporary = join(dirname(write.path), `.keyturn-${randomId(random)}.tmp`);
      ready.push({ temporary, path: write.path });
      writeTemporary(temporary, write);
    }
    for (const { temporary, path } of ready) {
      renameSync(temporary, path);
      replaced++;
    }
    for (const directory of new Set(writes.map(({ path }) => dirname(path)))) syncDirectory(directory);
  } catch (thrown) {
    for (const { temporary } of ready.slice(replaced)) rmSync(temporary, { force: true });
    const path = ready[Math.min(replaced, ready.length - 1)]?.path ?? "";
    const error = fsError(thrown, path);
    if (replaced === 0) throw error;
    throw new RotationError("unclear", `${path} may not be written yet (${error.message})`, {
      hint: "the next look at the store finishes it",
      cause: error,
    });
  }
}

/** Removes temporary files of a process that died. Call it only while nobody else can be writing. */
export function removeLeftovers(directory: string): void {
  for (const name of unlessMissing(() => readdirSync(directory)) ?? []) {
    if (TEMPORARY.test(name)) rmSync(join(directory, name), { force: true });
  }
}

/** Makes the entries of a directory durable. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeTemporary(temporary: string, write: FileWrite): void {
  const fd = openSync(temporary, "wx", 0o600);
  try {
    writeFileSync(fd, write.text);
    keepOwner(fd, write.path);
    fchmodSync(fd, write.mode);
    fsyncSync(fd);
  } catch (thrown) {
    throw fsError(thrown, write.path);
  } finally {
    closeSync(fd);
  }
}

/** A consumer under another user still reads the file that takes the place of its own, as far as we may see to it. */
function keepOwner(fd: number, path: string): void {
  const before = unlessMissing(() => lstatSync(path));
  const { uid, gid } = fstatSync(fd);
  if (!before || (before.uid === uid && before.gid === gid)) return;
  if (!mayChown(fd, before.uid, before.gid)) mayChown(fd, uid, before.gid);
}

function mayChown(fd: number, uid: number, gid: number): boolean {
  try {
    fchownSync(fd, uid, gid);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EPERM") return false;
    throw thrown;
  }
}
