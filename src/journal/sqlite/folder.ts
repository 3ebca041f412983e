import { access, constants, mkdir, open, stat, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { refuseNetworkFileSystem } from "../../lib/filesystem.ts";
import { unusableJournal } from "./faults.ts";
import { refuseRemains, type Traces } from "./traces.ts";

/**
 * Makes sure that there is a journal file to open: its folder (0700) on a local disk, kept out of
 * git when it is our own `.keyturn`, and an empty file (0600) when there is none.
 * Returns the file's size in bytes; 0 means a journal to be created. Throws RotationError `unusable`
 * where `traces` show that there was one.
 */
export async function prepareFile(path: string, traces: Traces): Promise<number> {
  const folder = dirname(path);
  refuseRemains(path, await sizeOf(path), traces);
  await refuseNetworkFileSystem(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (basename(folder) === ".keyturn") await create(`${folder}/.gitignore`, "*\n");
  if (await create(path, "")) await syncFolder(folder);
  const file = await stat(path);
  if (!file.isFile()) throw unusableJournal(path, "is not a file");
  // SQLite would open what it may only read, and leave sidecar files that the journal's user cannot write.
  await access(path, constants.R_OK | constants.W_OK);
  return file.size;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** Whether the file was made; one that exists is left alone. */
async function create(path: string, content: string): Promise<boolean> {
  try {
    await writeFile(path, content, { flag: "wx", mode: 0o600 });
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw thrown;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
