import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from "node:fs";
import { RotationError } from "../../lib/errors.ts";
import { unlessMissing } from "./fs-errors.ts";

/** Nothing that a secret's file could sensibly hold is longer. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Text and mode of a regular file; undefined when there is none. Throws RotationError `unusable`
 * for a symbolic link, anything else that is no file, one too large, or one that is not UTF-8.
 */
export function readRegularFile(path: string): { text: string; mode: number } | undefined {
  const stat = unlessMissing(() => lstatSync(path));
  if (!stat) return undefined;
  if (stat.isSymbolicLink()) {
    throw new RotationError("unusable", `${path} is a symbolic link; it is not followed`, {
      hint: "replace the link by what it points to, or point the store's path at the real directory",
    });
  }
  if (!stat.isFile()) {
    throw new RotationError("unusable", `${path} is not a regular file`, {
      hint: "move it away, or choose another name for the secret",
    });
  }
  const fd = unlessMissing(() =>
    openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK),
  );
  if (fd === undefined) return undefined;
  try {
    const { size, mode } = fstatSync(fd);
    if (size > MAX_BYTES) throw notASecret(path, "is too large");
    return { text: decode(readFileSync(fd), path), mode: mode & 0o777 };
  } finally {
    closeSync(fd);
  }
}

function decode(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw notASecret(path, "is not UTF-8 text");
  }
}

function notASecret(path: string, why: string): RotationError {
  return new RotationError("unusable", `${path} ${why}`, {
    hint: "check what is in it, and mend it or move it away",
  });
}
