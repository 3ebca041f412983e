import { asRotationError, type ErrorCode, RotationError } from "../../lib/errors.ts";

const MEANINGS: Readonly<Record<string, [ErrorCode, string, string]>> = {
  ENOSPC: ["full", "no space left on the device", "make room there; nothing was changed"],
  EDQUOT: ["full", "the disk quota is used up", "make room there; nothing was changed"],
  EFBIG: [
    "full",
    "the file would be larger than this process may write",
    "raise the limit; nothing was changed",
  ],
  EACCES: [
    "forbidden",
    "permission denied",
    "give this user the right to read and write it, or run as its owner",
  ],
  EPERM: [
    "forbidden",
    "operation not permitted",
    "give this user the right to change it, or run as its owner",
  ],
  EROFS: ["forbidden", "the file system is read-only", "mount it writable"],
  ELOOP: ["unusable", "it is a symbolic link", "replace the link by what it points to"],
  ENOTDIR: [
    "unusable",
    "something in its path is not a directory",
    "choose another path, or move that file away",
  ],
  EISDIR: ["unusable", "a directory is in its place", "choose another name, or move the directory away"],
  ENAMETOOLONG: ["unusable", "the name is too long", "choose a shorter name"],
};

/** A failed file system call as a RotationError; `path` stands in for a call that does not name its own. */
export function fsError(thrown: unknown, path: string): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const { code, path: named } = thrown as NodeJS.ErrnoException;
  if (!(thrown instanceof Error) || code === undefined || !/^E[A-Z0-9]+$/.test(code))
    return asRotationError(thrown);
  const [as, what, hint] = MEANINGS[code] ?? [
    "unusable",
    `the file system answered ${code}`,
    "check the disk",
  ];
  return new RotationError(as, `${named ?? path}: ${what}`, { hint, cause: thrown });
}

/** Calls `work`; undefined where it fails because the file or directory is not there, and only then. */
export function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}
