import fs, { readFileSync } from "node:fs";
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import type { Journal, Lease } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { eventOf, requestOf } from "./content.ts";
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
  restore = await standBeforeSyncs();
});
afterEach(async () => {
  disk = undefined;
  restore();
  await journal.close();
  await rm(folder, { recursive: true });
});

/** Puts `disk` before the sync of every file handle. */
async function standBeforeSyncs(): Promise<() => void> {
  await using handle = await open(path, "r");
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  const real = prototype.datasync;
  prototype.datasync = function (this: FileHandle) {
    return disk?.() ?? real.call(this);
  };
  return () => {
    prototype.datasync = real;
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

/** A disk that fails so many times. */
function failingDisk(times: number): void {
  let left = times;
  disk = async () => {
    left -= 1;
    if (left === 0) disk = undefined;
    throw Object.assign(new Error("EIO: i/o error, fdatasync"), { code: "EIO" });
  };
}

/** What is written at a place of its own from now on, as one piece from the file's beginning. */
function watchRewrites(): { bytes: () => Buffer; forget: () => void; end: () => void } {
  const written: Buffer[] = [];
  const real = fs.writeSync;
  fs.writeSync = ((fd: number, from: Buffer, offset: number, length: number, at: number) => {
    if (at === 0) written.length = 0;
    written.push(Buffer.from(from.subarray(offset, offset + length)));
    return real(fd, from, offset, length, at);
  }) as typeof fs.writeSync;
  syncBuiltinESMExports();
  return {
    bytes: () => Buffer.concat(written),
    forget() {
      written.length = 0;
    },
    end() {
      fs.writeSync = real;
      syncBuiltinESMExports();
    },
  };
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

describe("a log that may have a hole on the disk", () => {
  let rewrites: ReturnType<typeof watchRewrites>;
  const log = () => readFileSync(`${path}-wal`);

  beforeEach(() => {
    rewrites = watchRewrites();
  });
  afterEach(() => rewrites.end());

  test("because the disk has failed is given to it whole once more, and the commit is done", async () => {
    failingDisk(1);
    await commit("one");
    expect(rewrites.bytes().equals(log())).toBe(true);
    expect(await kinds()).toEqual(["one"]);
  });

  test("because the disk has failed again leaves the commit unclear, and is given whole before the next", async () => {
    failingDisk(2);
    await expect(commit("failed")).rejects.toMatchObject({
      code: "unclear",
      message: expect.stringMatching(/journal\.db met an error of the disk \(EIO\)/),
      hint: expect.stringContaining("check the disk"),
    });
    const holed = log();
    rewrites.forget();
    await commit("after");
    expect(rewrites.bytes().equals(holed)).toBe(true);
    expect(log().subarray(0, holed.length).equals(holed)).toBe(true);
    expect(await kinds()).toEqual(["failed", "after"]);
  });

  test("because another process has begun it is given whole before anything is added", async () => {
    await commit("its own");
    const begun = log();
    const other = await openSqliteJournal(path, { clock: manualClock(), random: systemRandom });
    await other.request(requestOf("r", "t"), eventOf("asked"));
    expect(rewrites.bytes().equals(begun)).toBe(true);
    await other.close();
    expect(await kinds()).toEqual(["its own", "asked"]);
  });

  test("and that is sound is not written twice", async () => {
    await commit("one");
    await commit("two");
    expect(rewrites.bytes()).toHaveLength(0);
  });

  test("because the disk has failed is given whole before it is copied into the database at the end", async () => {
    failingDisk(2);
    await expect(commit("failed")).rejects.toMatchObject({ code: "unclear" });
    const holed = log();
    rewrites.forget();
    await journal.close();
    expect(rewrites.bytes().equals(holed)).toBe(true);
  });
});

test("a change that is refused by itself is told why, also where the disk fails the others", async () => {
  const lost = await take(journal, "lost");
  await journal.release(lost);
  failingDisk(2);
  const [kept, refused] = await Promise.allSettled([
    commit("kept"),
    journal.commit(lost, { document: emptyDocument(), events: [eventOf("lost")] }),
  ]);
  expect(kept).toMatchObject({ reason: { code: "unclear" } });
  expect(refused).toMatchObject({ reason: { code: "busy" } });
});
