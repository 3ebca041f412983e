import { writeFile } from "node:fs/promises";
import { RotationError } from "../../lib/errors.ts";

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: "its folder is not there: make it, or name another file with --output",
  EACCES: "this user may not write there: name another file with --output",
};

/** Writes a file that is not there yet. Throws RotationError `usage` when it is, and leaves it as it is. */
export async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: "wx" });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "EEXIST") throw isThere(file);
    throw new RotationError(
      code === "EACCES" || code === "EPERM" || code === "EROFS" ? "forbidden" : "unusable",
      `cannot write ${file} (${code ?? message})`,
      { cause, hint: HINTS[code ?? ""] ?? "name another file with --output" },
    );
  }
}

/** What a command says that would have to overwrite. */
export function isThere(file: string): RotationError {
  return new RotationError("usage", `${file} is there already, and is left as it is`, {
    hint: "name another file with --output",
  });
}
