import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import { RotationError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import { type Content, parseContent, renderContent } from "../content.ts";
import { parseRecord, renderRecord, type SecretRecord } from "../record.ts";
import type { Found } from "../record-changes.ts";
import { type Reconciled, reconcile } from "../record-reconcile.ts";
import { wrongShape } from "../refusals.ts";
import type { SecretRef } from "../store.ts";
import { type FileWrite, replaceFiles, type Unsynced } from "./atomic-write.ts";
import { checkDirectory, makeDirectory, octal } from "./directories.ts";
import { unlessMissing } from "./fs-errors.ts";
import { type SecretPaths, type StorePaths, secretPaths } from "./paths.ts";
import { readRegularFile } from "./read-file.ts";

/** Modes of what consumers read; what is keyturn's own is always for its user alone. */
export interface Modes {
  mode: number;
  dirMode: number;
}

/**
 * The record of one secret and the file that its consumers read, on the disk. What is changed is
 * durable after `syncDirectories(unsynced)`. Everything throws RotationError or errno.
 */
export function secretFiles(ref: SecretRef, store: StorePaths, modes: Modes, unsynced: Unsynced) {
  const paths = secretPaths(store, ref.secret);
  const directories = [dirname(paths.record), dirname(paths.plain)];
  return {
    /** Where a process that died while it wrote may have left something. */
    directories,
    load: (now: number) => load(ref, store, paths, modes, now),
    /** Record first: a death before the consumer file follows is seen, and finished, by the next look. */
    save: (record: SecretRecord, before: Found, random: Random) => {
      for (const path of [store.records, ...paths.recordDirs]) makeDirectory(path, 0o700, unsynced);
      const writes: FileWrite[] = [{ path: paths.record, text: renderRecord(record), mode: 0o600 }];
      if (record.current && record.current.id !== before?.current?.id) {
        for (const path of paths.consumerDirs) makeDirectory(path, modes.dirMode, unsynced);
        writes.push(consumerFile(paths, record.current.content, modes));
      }
      replaceFiles(writes, unsynced, random);
    },
    /** Writes again what consumers read. */
    render: (content: Content, random: Random) => {
      for (const path of paths.consumerDirs) makeDirectory(path, modes.dirMode, unsynced);
      replaceFiles([consumerFile(paths, content, modes)], unsynced, random);
    },
  };
}

function load(ref: SecretRef, store: StorePaths, paths: SecretPaths, modes: Modes, now: number): Reconciled {
  const nothing = { record: undefined, render: false, keep: false, warnings: [] };
  if (!checkDirectory(store.root, modes.dirMode, { mayBeLink: true })) return nothing;
  for (const path of paths.consumerDirs) checkDirectory(path, modes.dirMode, { mayBeLink: false });
  for (const path of [store.private, store.records, ...paths.recordDirs]) {
    checkDirectory(path, 0o700, { mayBeLink: false });
  }
  const record = loadRecord(ref.secret, paths.record);
  if (!record?.current) refuseOtherShape(ref, paths);
  const fields = record?.current ? typeof record.current.content !== "string" : ref.field !== undefined;
  const path = fields ? paths.fields : paths.plain;
  const file = readRegularFile(path);
  const result = reconcile(ref.secret, record, file && parseContent(file.text, fields, path), now);
  if (!file || file.mode === modes.mode) return result;
  const warning = `${path} has mode ${octal(file.mode)}; the next write gives it the store's mode, ${octal(modes.mode)}`;
  return { ...result, warnings: [...result.warnings, warning] };
}

function loadRecord(secret: string, path: string): SecretRecord | undefined {
  const file = readRegularFile(path);
  if (!file) return undefined;
  if ((file.mode & 0o077) !== 0) {
    throw new RotationError(
      "unusable",
      `${path} has mode ${octal(file.mode)}: others than its owner can open it`,
      {
        hint: `chmod 600 ${path}; if others may have read it, revoke the keys in it`,
      },
    );
  }
  const record = parseRecord(file.text, path);
  if (record.secret === secret) return record;
  throw new RotationError("unusable", `${path} is the record of another secret, ${record.secret}`, {
    hint: "move it back to where it came from",
  });
}

/** Before a record tells the shape, the name of the file does. */
function refuseOtherShape(ref: SecretRef, paths: SecretPaths): void {
  const other = unlessMissing(() => lstatSync(ref.field === undefined ? paths.fields : paths.plain));
  if (other && !other.isDirectory()) throw wrongShape(ref);
}

function consumerFile(paths: SecretPaths, content: Content, modes: Modes): FileWrite {
  const path = typeof content === "string" ? paths.plain : paths.fields;
  return { path, text: renderContent(content), mode: modes.mode };
}
