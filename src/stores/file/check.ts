import { accessSync, constants, existsSync } from "node:fs";
import { checked, failed, noted } from "../../lib/check.ts";
import type { Clock } from "../../lib/clock.ts";
import { nearestExisting, refuseNetworkFileSystem, requireRights } from "../../lib/filesystem.ts";
import type { Random } from "../../lib/random.ts";
import { assertShape, viewOf } from "../record-changes.ts";
import type { Examination, SecretRef } from "../store.ts";
import { checkDirectory, checkModes, octal } from "./directories.ts";
import { fsError } from "./fs-errors.ts";
import { withLock } from "./lock.ts";
import { type SecretPaths, type StorePaths, secretPaths } from "./paths.ts";
import { type Modes, secretFiles } from "./secret-files.ts";

/**
 * What the store needs for one secret, by asking the kernel what this user may do. Files are read
 * and the lock is taken where it is there; nothing is made, finished or tidied.
 */
export async function checkSecret(
  ref: SecretRef,
  store: StorePaths,
  modes: Modes,
  parts: { clock: Clock; random: Random },
): Promise<Examination> {
  const check = (name: string, work: () => string | Promise<string>) =>
    checked(name, async () => {
      try {
        return await work();
      } catch (thrown) {
        throw fsError(thrown, store.root);
      }
    });
  const place = await check("directory", () => checkRoot(store, modes));
  const disk = await check("disk", async () => {
    await refuseNetworkFileSystem(store.root);
    return "not a network file system";
  });
  const lock = await check("lock", () => checkLock(store.lock));
  const checks = [place, disk, lock];
  if (place.result === "failed" || lock.result === "failed")
    return {
      checks: [...checks, noted("secret", `${ref.secret}: not checked, as its store cannot be used`)],
    };

  checks.push(await check("files", () => checkWritable(secretPaths(store, ref.secret), store, ref)));
  try {
    return { checks, found: await read(ref, store, modes, parts) };
  } catch (thrown) {
    return { checks: [...checks, failed("secret", fsError(thrown, store.root))] };
  }
}

/** Under the lock where there is one, so that a look meets no write half-way. */
async function read(
  ref: SecretRef,
  store: StorePaths,
  modes: Modes,
  parts: { clock: Clock; random: Random },
): Promise<Examination["found"]> {
  const look = () => {
    const { record, warnings } = secretFiles(ref, store, modes, new Set()).load(parts.clock.now());
    assertShape(record, ref);
    return { exists: record !== undefined, view: viewOf(record, ref, warnings) };
  };
  return existsSync(store.lock) ? withLock(store.lock, parts, look) : look();
}

async function checkRoot({ root }: StorePaths, modes: Modes): Promise<string> {
  checkModes(modes);
  requireRights(root);
  if (checkDirectory(root, modes.dirMode, { mayBeLink: true })) {
    mayWriteIn(root);
    return `${root} is there and may be written`;
  }
  const above = await nearestExisting(root);
  mayWriteIn(above);
  return `${root} is not there yet and can be made in ${above}, with mode ${octal(modes.dirMode)}`;
}

function checkLock(path: string): string {
  if (!existsSync(path)) return `${path} is not there yet`;
  accessSync(path, constants.R_OK | constants.W_OK);
  return `${path} may be taken`;
}

/** Files are replaced by renaming, so it is their directories that must be writable. */
function checkWritable(secret: SecretPaths, store: StorePaths, ref: SecretRef): string {
  const directories = [store.private, store.records, ...secret.recordDirs, ...secret.consumerDirs];
  for (const directory of directories) if (existsSync(directory)) mayWriteIn(directory);
  return `${ref.field === undefined ? secret.plain : secret.fields} and its record may be written`;
}

function mayWriteIn(directory: string): void {
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
}
