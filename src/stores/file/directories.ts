import { chmodSync, lstatSync, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { RotationError } from "../../lib/errors.ts";
import type { Unsynced } from "./atomic-write.ts";
import { unlessMissing } from "./fs-errors.ts";

export function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

/** Throws RotationError `unusable` for modes under which everyone could read or replace secrets. */
export function checkModes(modes: { mode: number; dirMode: number }): void {
  if ((modes.dirMode & 0o006) !== 0) {
    throw new RotationError(
      "unusable",
      `dirMode ${octal(modes.dirMode)} lets everyone read or write the store`,
      {
        hint: 'let consumers under another user share a group: dirMode: "0750" and mode: "0640"',
      },
    );
  }
  if ((modes.mode & 0o002) !== 0) {
    throw new RotationError("unusable", `mode ${octal(modes.mode)} lets everyone write the secrets`, {
      hint: 'let consumers under another user share a group: mode: "0640"',
    });
  }
}

/**
 * Whether the directory is there. Throws RotationError `unusable` when it is open to more than
 * `mode` says, is no directory, or is a symbolic link (the store's own root may be one).
 */
export function checkDirectory(path: string, mode: number, options: { mayBeLink: boolean }): boolean {
  const stat = unlessMissing(() => (options.mayBeLink ? statSync(path) : lstatSync(path)));
  if (!stat) return false;
  if (!stat.isDirectory()) {
    throw new RotationError(
      "unusable",
      `${path} is ${stat.isSymbolicLink() ? "a symbolic link" : "not a directory"}`,
      {
        hint: "move it away, or choose another path",
      },
    );
  }
  const excess = stat.mode & ~mode & 0o077;
  if (excess === 0) return true;
  const who = (excess & 0o007) !== 0 ? "everyone" : "its group";
  throw new RotationError(
    "unusable",
    `directory ${path} has mode ${octal(stat.mode)}: it is open to ${who}`,
    {
      hint:
        mode === 0o700
          ? `chmod 700 ${path}; if consumers under another user read it, let them share its group and set dirMode: "0750"`
          : `chmod ${octal(mode).slice(1)} ${path}`,
    },
  );
}

/** Makes the directory, and those above it that are missing, with exactly `mode`; durable after `syncDirectories(unsynced)`. */
export function makeDirectory(path: string, mode: number, unsynced: Unsynced): void {
  if (unlessMissing(() => statSync(path))) return;
  makeDirectory(dirname(path), mode, unsynced);
  unsynced.add(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return;
    throw thrown;
  }
  chmodSync(path, mode);
}
