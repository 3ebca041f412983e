import { closeSync, openSync, readSync, writeSync } from "node:fs";

/** Read and written in one go, in bytes. */
const PIECE = 256 * 1024;

/**
 * Writes a file's own bytes over it again; one that is not there is left so. After a disk has failed
 * to take a file, the kernel may hold for taken what it has only in memory: a later sync would say
 * nothing of it. What is written again it has to take. Nobody else may be writing meanwhile.
 */
export function writeAgain(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, "r+");
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return;
    throw thrown;
  }
  try {
    const piece = Buffer.alloc(PIECE);
    for (let at = 0; ; ) {
      const read = readSync(fd, piece, 0, PIECE, at);
      if (read === 0) return;
      at += writeSync(fd, piece, 0, read, at);
    }
  } finally {
    closeSync(fd);
  }
}
