import { copyFile, type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import type { Journal, Lease } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { eventOf } from "./content.ts";
import { take } from "./kubernetes-bench.ts";
import { manualClock } from "./manual-clock.ts";

let folder: string;
let path: string;
let journal: Journal;
let lease: Lease;
/** What comes of each wait for the disk from now on, in place of the disk's own word. */
let disk: (() => Promise<void>) | undefined;
let restore: () => void;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-disk-"));
  path = join(folder, "journal.db");
  journal = await openSqliteJournal(path, { clock: manualClock(), random: systemRandom });
  lease = await take(journal, "t");
  restore = await standBefore("datasync");
});
afterEach(async () => {
  disk = undefined;
  restore();
  await journal.close();
  await rm(folder, { recursive: true });
});

/** Puts `disk` before a method of every file handle. */
async function standBefore(method: "datasync"): Promise<() => void> {
  await using handle = await open(path, "r");
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const real = prototype[method];
  prototype[method] = function (this: FileHandle) {
    return disk?.() ?? real.call(this);
  };
  return () => {
    prototype[method] = real;
  };
}

const commit = (kind: string) =>
  journal.commit(lease, { document: emptyDocument(), events: [eventOf(kind)] });
const kinds = async () => (await journal.history({})).map(({ kind }) => kind);

/** A disk that takes nothing until it is told to. */
function slowDisk(): { asked: () => number; takes: () => void } {
  const taken = Promise.withResolvers<void>();
  let asked = 0;
  disk = () => {
    asked += 1;
    return taken.promise;
  };
  return { asked: () => asked, takes: taken.resolve };
}

/** A disk that fails once. */
function failingDisk(): void {
  disk = async () => {
    disk = undefined;
    throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
  };
}

/** The events that are in the database itself, whatever the write-ahead log holds beside it. */
async function kindsWithoutLog(): Promise<unknown[]> {
  const copy = join(folder, "copy.db");
  await copyFile(path, copy);
  const db = new DatabaseSync(copy);
  const rows = db.prepare("SELECT kind FROM events ORDER BY seq").all();
  db.close();
  return rows.map(({ kind }) => kind);
}

test("a commit is told to be done only once the disk has taken it, and nothing else waits for that", async () => {
  const slow = slowDisk();
  let told = false;
  const done = commit("one").then(() => {
    told = true;
  });
  await expect.poll(slow.asked).toBe(1);
  expect(await kinds()).toEqual(["one"]);
  expect(told).toBe(false);
  slow.takes();
  await done;
});

test("what is asked for while the disk is at work is written together, once it is done", async () => {
  const slow = slowDisk();
  const first = commit("first");
  await expect.poll(slow.asked).toBe(1);
  const later = ["a", "b", "c"].map(commit);
  expect(await kinds()).toEqual(["first"]);
  slow.takes();
  await Promise.all([first, ...later]);
  expect(slow.asked()).toBe(2);
  expect(await kinds()).toEqual(["first", "a", "b", "c"]);
});

test("a commit that the disk fails to take is unclear, and the next one is written only with all that came before in the database itself", async () => {
  failingDisk();
  await expect(commit("failed")).rejects.toMatchObject({
    code: "unclear",
    message: expect.stringMatching(/journal\.db met an error of the disk \(EIO\)/),
    hint: expect.stringContaining("check the disk"),
  });
  await commit("after");
  expect(await kindsWithoutLog()).toEqual(["failed"]);
  expect(await kinds()).toEqual(["failed", "after"]);
});

test("after the disk has failed nothing is written as long as a reader keeps the log from being copied", async () => {
  const reader = new DatabaseSync(path);
  reader.exec("BEGIN; SELECT * FROM events");
  failingDisk();
  await expect(commit("failed")).rejects.toMatchObject({ code: "unclear" });
  await expect(commit("refused")).rejects.toMatchObject({ code: "unclear" });
  expect(await kinds()).toEqual(["failed"]);
  reader.close();
  await commit("after");
  expect(await kinds()).toEqual(["failed", "after"]);
});
