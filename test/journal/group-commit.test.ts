import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { MIGRATIONS, type Migration } from "../../src/journal/sqlite/schema.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { startChild } from "./child.ts";
import { documentWith, eventOf, requestOf } from "./content.ts";
import { take } from "./kubernetes-bench.ts";
import { manualClock } from "./manual-clock.ts";

const TTL = 60_000;
let folder: string;
let path: string;
let journal: Journal;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-group-"));
  path = join(folder, "journal.db");
  journal = await open();
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true });
});

function open(more: readonly Migration[] = [], clock = manualClock()): Promise<Journal> {
  return openSqliteJournal(path, { clock, random: systemRandom, migrations: [...MIGRATIONS, ...more] });
}

const names = (count: number) => Array.from({ length: count }, (_, n) => `target-${n}`);
const takeAll = (targets: readonly string[]) => Promise.all(targets.map((target) => take(journal, target)));

/** How often a transaction has been written since the write-ahead log was begun: a frame that ends one says how large the database is then. */
function commitsWritten(): number {
  const log = readFileSync(`${path}-wal`);
  const frame = log.length > 0 ? 24 + log.readUInt32BE(8) : 0;
  let commits = 0;
  for (let at = 32; at + frame <= log.length; at += frame) if (log.readUInt32BE(at + 4) !== 0) commits += 1;
  return commits;
}

/** Why each failed, or that it is done. */
async function outcomes(work: readonly Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(work);
  return settled.map((one) => (one.status === "fulfilled" ? "done" : String(one.reason.code)));
}

/** A commit that has an event of the kind `doomed` in it can be made and not be ended. */
const doom: Migration = {
  since: "0.9.0",
  up: (connection) =>
    connection.exec(`
      CREATE TABLE absent (id INTEGER PRIMARY KEY) STRICT;
      CREATE TABLE doom (id INTEGER REFERENCES absent (id) DEFERRABLE INITIALLY DEFERRED) STRICT;
      CREATE TRIGGER dooms AFTER INSERT ON events WHEN new.kind = 'doomed'
        BEGIN INSERT INTO doom (id) VALUES (1); END;
    `),
};

describe("changes that are asked for at once", () => {
  test("share commits, sixty-four in each at most", async () => {
    const before = commitsWritten();
    const leases = await takeAll(names(100));
    expect(commitsWritten() - before).toBe(2);
    await Promise.all(leases.map((lease) => journal.renew(lease, 2 * TTL)));
    expect(commitsWritten() - before).toBe(4);
    await Promise.all(
      leases.map((lease) => journal.commit(lease, { document: emptyDocument(), events: [eventOf("made")] })),
    );
    expect(commitsWritten() - before).toBe(6);
    await Promise.all(leases.map((lease) => journal.release(lease)));
    expect(commitsWritten() - before).toBe(8);
    expect(await journal.history({})).toHaveLength(100);
  });

  test("one after the other have a commit each", async () => {
    const lease = await take(journal, "t");
    const before = commitsWritten();
    for (const kind of ["one", "two", "three"])
      await journal.commit(lease, { document: emptyDocument(), events: [eventOf(kind)] });
    expect(commitsWritten() - before).toBe(3);
  });

  test("keep their order, over as many commits as they need", async () => {
    const [t, u] = await takeAll(["t", "u"]);
    const kinds = Array.from({ length: 150 }, (_, n) => `step ${n}`);
    await Promise.all(
      kinds.flatMap((kind) => [
        journal.commit(t as never, { document: documentWith(`t ${kind}`), events: [eventOf(kind)] }),
        journal.request(requestOf(`q of ${kind}`, "v"), eventOf("requested")),
        journal.commit(u as never, { document: documentWith(`u ${kind}`), events: [eventOf(kind)] }),
      ]),
    );
    for (const target of ["t", "u"]) {
      expect((await journal.history({ target })).map(({ kind }) => kind)).toEqual(kinds);
      expect((await journal.read(target)).document).toEqual(documentWith(`${target} step 149`));
    }
    expect((await journal.read("v")).requests.map(({ id }) => id)).toEqual(
      kinds.map((kind) => `q of ${kind}`),
    );
  });

  test("are told to be done only once they are all on the disk", async () => {
    const leases = await takeAll(names(3));
    const before = commitsWritten();
    const seen: number[] = [];
    await Promise.all(
      leases.map(async (lease) => {
        await journal.commit(lease, { document: emptyDocument(), events: [eventOf("made")] });
        seen.push(commitsWritten() - before);
      }),
    );
    expect(seen).toEqual([1, 1, 1]);
  });
});

describe("a change that is refused", () => {
  test("because its lease is lost fails alone, and nothing of it is kept", async () => {
    const [kept, lost, other] = await takeAll(["kept", "lost", "other"]);
    await journal.release(lost as never);
    const before = commitsWritten();
    const done = await outcomes(
      [kept, lost, other].map((lease) =>
        journal.commit(lease as never, {
          document: documentWith(`h of ${lease?.target}`),
          events: [eventOf("made")],
        }),
      ),
    );
    expect(done).toEqual(["done", "busy", "done"]);
    expect(commitsWritten() - before).toBe(1);
    expect((await journal.history({})).map(({ target }) => target)).toEqual(["kept", "other"]);
    expect(await journal.ownerOf("h of lost")).toBeUndefined();
  });

  test("after it has written a part of itself fails alone, and that part is not kept", async () => {
    const [one, two, three] = await takeAll(["one", "two", "three"]);
    const commit = (lease: unknown, ...hashes: string[]) =>
      journal.commit(lease as never, { document: documentWith(...hashes), events: [eventOf("made")] });
    expect(await outcomes([commit(one, "h1"), commit(two, "h0", "h1"), commit(three, "h3")])).toEqual([
      "done",
      "conflict",
      "done",
    ]);
    expect((await journal.read("two")).document).toEqual(emptyDocument());
    expect(await Promise.all(["h0", "h1", "h3"].map((hash) => journal.ownerOf(hash)))).toEqual([
      undefined,
      "one",
      "three",
    ]);
    expect((await journal.history({})).map(({ target }) => target)).toEqual(["one", "three"]);
  });

  test("by what an earlier one of the same commit has changed is refused as if that had been long ago", async () => {
    const lease = await take(journal, "t");
    const commit = () => journal.commit(lease, { document: documentWith("h1"), events: [eventOf("made")] });
    expect(await outcomes([commit(), journal.release(lease), commit(), journal.renew(lease, TTL)])).toEqual([
      "done",
      "done",
      "busy",
      "busy",
    ]);
    expect(await journal.history({})).toHaveLength(1);
  });
});

describe("a commit that fails", () => {
  const commitAll = async (kinds: Record<string, string>) => {
    const leases = await takeAll(Object.keys(kinds));
    return await outcomes(
      leases.map((lease) =>
        journal.commit(lease, {
          document: documentWith(`h of ${lease.target}`),
          events: [eventOf(kinds[lease.target] as string)],
        }),
      ),
    );
  };

  test("fails every change in it that fails by itself too, and leaves nothing of them", async () => {
    await journal.close();
    journal = await open([doom]);
    expect(await commitAll({ a: "doomed", b: "doomed", c: "doomed" })).toEqual([
      "internal",
      "internal",
      "internal",
    ]);
    expect(await journal.history({})).toEqual([]);
    expect(await journal.all()).toEqual([]);
    expect(await commitAll({ a: "made", b: "made" })).toEqual(["done", "done"]);
  });

  test("fails no change in it that can be made by itself", async () => {
    await journal.close();
    journal = await open([doom]);
    expect(await commitAll({ a: "made", b: "doomed", c: "made" })).toEqual(["done", "internal", "done"]);
    expect((await journal.history({})).map(({ target }) => target)).toEqual(["a", "c"]);
    expect(await journal.ownerOf("h of b")).toBeUndefined();
  });

  test("because one change in it is too large for the disk fails that one alone", async () => {
    await journal.close();
    journal = await open([
      { since: "0.9.0", up: (connection) => connection.exec("PRAGMA max_page_count = 25") },
    ]);
    const leases = await takeAll(["a", "b", "c"]);
    const tooMuch = Array.from({ length: 1_000 }, () => eventOf("much", { message: "x".repeat(200) }));
    const done = await outcomes(
      leases.map((lease) =>
        journal.commit(lease, {
          document: emptyDocument(),
          events: lease.target === "b" ? tooMuch : [eventOf("made")],
        }),
      ),
    );
    expect(done).toEqual(["done", "full", "done"]);
    expect((await journal.history({})).map(({ target }) => target)).toEqual(["a", "c"]);
  });
});

describe("while another process keeps the journal locked", () => {
  test("changes that come later share the commit with those that wait", async () => {
    await journal.close();
    const clock = manualClock();
    const slept = Promise.withResolvers<void>();
    const woken = Promise.withResolvers<void>();
    journal = await open([], {
      ...clock,
      sleep: async () => {
        slept.resolve();
        await woken.promise;
      },
    });
    const before = commitsWritten();
    const blocker = new DatabaseSync(path);
    blocker.exec("BEGIN IMMEDIATE");
    const first = journal.acquire("t", TTL);
    await slept.promise;
    const second = journal.acquire("u", TTL);
    blocker.exec("ROLLBACK");
    blocker.close();
    woken.resolve();
    expect(await Promise.all([first, second])).toMatchObject([{ target: "t" }, { target: "u" }]);
    expect(commitsWritten() - before).toBe(1);
  });

  test("all of them are told so at last, and the next one is written once it is free", async () => {
    const blocker = new DatabaseSync(path);
    blocker.exec("BEGIN IMMEDIATE");
    const locked = outcomes(names(100).map((target) => journal.acquire(target, TTL)));
    expect(new Set(await locked)).toEqual(new Set(["busy"]));
    blocker.exec("ROLLBACK");
    blocker.close();
    expect(await journal.acquire("t", TTL)).toMatchObject({ epoch: 1 });
    expect(await journal.acquire("target-1", TTL)).toMatchObject({ epoch: 1 });
  });
});

test("what waits when the journal is closed is refused, and not written later", async () => {
  const lease = await take(journal, "t");
  const commits = outcomes(
    ["one", "two"].map((kind) =>
      journal.commit(lease, { document: emptyDocument(), events: [eventOf(kind)] }),
    ),
  );
  await journal.close();
  expect(await commits).toEqual(["internal", "internal"]);
  journal = await open();
  expect(await journal.history({})).toEqual([]);
});

describe("a process that commits for many targets at once", () => {
  const targets = names(40);

  test("killed before the commit has written none, and has told none to be done", async () => {
    const child = await startChild(path);
    await child.tell({ do: "acquire", targets, ttlMs: TTL });
    const blocker = new DatabaseSync(path);
    blocker.exec("BEGIN IMMEDIATE");
    const told = child.stream({ do: "commit all", rounds: 1 });
    // It has begun when it answers something else.
    await child.tell({ do: "acquire", targets: [], ttlMs: TTL });
    await child.kill();
    blocker.exec("ROLLBACK");
    blocker.close();
    expect(told()).toEqual([]);
    expect(await journal.all()).toEqual([]);
    expect(await journal.history({})).toEqual([]);
  });

  test.each([1, 30, 200])(
    "killed once it has told %i commits to be done has left every one of them, whole and in order",
    async (enough) => {
      const child = await startChild(path);
      await child.tell({ do: "acquire", targets, ttlMs: TTL });
      const told = child.stream({ do: "commit all", rounds: 1_000 });
      await expect.poll(() => told().length, { timeout: 30_000, interval: 1 }).toBeGreaterThanOrEqual(enough);
      await child.kill();
      for (const target of targets) {
        const kinds = (await journal.history({ target })).map(({ kind }) => kind);
        expect(kinds).toEqual(kinds.map((_, round) => `${round}`));
        const { document } = await journal.read(target);
        expect(Object.keys(document.issued)).toEqual(kinds.slice(-1).map((round) => `${target} ${round}`));
        for (const one of told().filter((commit) => commit.target === target))
          expect(kinds).toContain(one.round);
      }
    },
  );
});
