import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { emptyDocument, type TargetDocument } from "../../src/journal/document.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { manualClock } from "./manual-clock.ts";

const TARGETS = ["local/payments", "local/billing", "local/batch"];
const PAGE = 4096;

let folder: string;
let count = 0;
/** A journal that was closed: one file. */
let closed: Buffer;
/** One that is in use: most of it is in the write-ahead log. */
let running: { db: Buffer; log: Buffer };
/** By target, every document that was ever committed, and the newest. */
const committed = new Map<string, string[]>();

const open = (path: string) => openSqliteJournal(path, { clock: manualClock(), random: systemRandom });

function documentOf(target: string, turn: number): TargetDocument {
  const document = emptyDocument();
  for (let n = 0; n < 4; n += 1) {
    const hash = Buffer.from(`${target} ${turn} ${n}`).toString("hex").padEnd(64, "0").slice(-64);
    document.issued[hash] = { hash, field: "", provider: "openrouter", origin: "issued", createdAt: turn };
  }
  return document;
}

async function fill(journal: Journal): Promise<void> {
  for (let turn = 0; turn < 6; turn += 1) {
    for (const target of TARGETS) {
      const lease = await journal.acquire(target, 60_000);
      if (lease === undefined) throw new Error("no lease");
      const document = documentOf(target, turn);
      committed.set(target, [...(committed.get(target) ?? []), JSON.stringify(document)]);
      const event = {
        at: turn,
        key: "k",
        actor: "schedule",
        kind: "created",
        reason: "due",
        message: "made",
      };
      await journal.commit(lease, { document, events: [{ ...event, data: { turn } }] });
    }
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-damage-"));
  const path = join(folder, "whole.db");
  const journal = await open(path);
  await fill(journal);
  running = { db: await readFile(path), log: await readFile(`${path}-wal`) };
  await journal.close();
  closed = await readFile(path);
});
afterAll(() => rm(folder, { recursive: true }));

/** Files of a journal in a place of their own; the path of the journal. */
async function placed(
  db: Buffer | undefined,
  more: { log?: Buffer; holders?: boolean } = {},
): Promise<string> {
  count += 1;
  const path = join(folder, `${count}`, "journal.db");
  await mkdir(join(folder, `${count}`));
  if (db) await writeFile(path, db);
  if (more.log) await writeFile(`${path}-wal`, more.log);
  if (more.holders) await mkdir(`${path}.holders`);
  return path;
}

/** What each target reads as, or what the journal is refused with. */
async function found(path: string): Promise<Map<string, string> | RotationError> {
  let journal: Journal | undefined;
  try {
    journal = await open(path);
    await journal.history({});
    const documents = new Map<string, string>();
    for (const target of TARGETS)
      documents.set(target, JSON.stringify((await journal.read(target)).document));
    return documents;
  } catch (thrown) {
    if (thrown instanceof RotationError) return thrown;
    throw thrown;
  } finally {
    await journal?.close();
  }
}

function expectRefusal(refused: unknown, where: string): void {
  expect(refused, where).toBeInstanceOf(RotationError);
  const { code, message, hint } = refused as RotationError;
  expect(["unusable", "newer-version"], `${where}: ${message}`).toContain(code);
  expect(message, where).toContain("journal");
  expect(hint, where).toBeDefined();
}

/** The file is refused, clearly, or every target reads as it was last written; never as something else, nor as nothing. */
async function expectWholeOrRefused(damaged: Buffer, where: string): Promise<"whole" | "refused"> {
  const path = await placed(damaged);
  const result = await found(path);
  if (result instanceof RotationError) {
    expectRefusal(result, where);
    return "refused";
  }
  for (const target of TARGETS)
    expect(result.get(target), `${where}, ${target}`).toBe(committed.get(target)?.at(-1));
  return "whole";
}

describe("a journal whose file was damaged", () => {
  test("one byte anywhere: it is refused, or nothing that counts has changed", async () => {
    const outcomes = { whole: 0, refused: 0 };
    for (let at = 0; at < closed.length; at += 191) {
      const damaged = Buffer.from(closed);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      outcomes[await expectWholeOrRefused(damaged, `byte ${at}`)] += 1;
    }
    expect(outcomes.refused).toBeGreaterThan(10);
  });

  test("a byte within a target's document, which SQLite does not notice, is noticed", async () => {
    const document = Buffer.from(committed.get(TARGETS[0] as string)?.at(-1) as string);
    const start = closed.indexOf(document);
    expect(start).toBeGreaterThan(0);
    for (let at = start; at < start + document.length; at += 17) {
      const damaged = Buffer.from(closed);
      damaged[at] = (damaged[at] ?? 0) ^ 0x01;
      expect(await expectWholeOrRefused(damaged, `byte ${at}`)).toBe("refused");
    }
  });

  test("a page of zeros or of anything else", async () => {
    for (let page = 0; page * PAGE < closed.length; page += 1) {
      for (const bytes of [Buffer.alloc(PAGE), randomBytes(PAGE)]) {
        const damaged = Buffer.from(closed);
        bytes.copy(damaged, page * PAGE);
        await expectWholeOrRefused(damaged, `page ${page}`);
      }
    }
  });

  test("cut off anywhere", async () => {
    for (let length = 1; length < closed.length - PAGE; length += 1_999)
      expect(await expectWholeOrRefused(closed.subarray(0, length), `${length} bytes`)).toBe("refused");
    for (const length of [99, 100, 511, 512, PAGE, 2 * PAGE])
      expect(await expectWholeOrRefused(closed.subarray(0, length), `${length} bytes`)).toBe("refused");
    for (let missing = 1; missing < PAGE; missing += 511)
      await expectWholeOrRefused(closed.subarray(0, closed.length - missing), `but ${missing} bytes`);
  });

  test("filled with zeros, or with something else altogether", async () => {
    for (const damaged of [Buffer.alloc(closed.length), Buffer.from("not a database ".repeat(999))])
      expect(await expectWholeOrRefused(damaged, "garbage")).toBe("refused");
  });
});

/** Each target reads as it was at some time, as from a backup: newer commits are lost, and R1 to R13 do the rest. */
async function expectSomeTime(path: string, where: string): Promise<void> {
  const result = await found(path);
  if (result instanceof RotationError) return expectRefusal(result, where);
  const nothing = JSON.stringify(emptyDocument());
  for (const target of TARGETS)
    expect([nothing, ...(committed.get(target) ?? [])], `${where}, ${target}`).toContain(result.get(target));
}

describe("a journal whose write-ahead log was damaged", () => {
  test("whole, it holds everything", async () => {
    const documents = await found(await placed(running.db, { log: running.log }));
    for (const target of TARGETS)
      expect((documents as Map<string, string>).get(target)).toBe(committed.get(target)?.at(-1));
  });

  test("one byte anywhere, or cut off anywhere: refused, or as it was before some commit", async () => {
    for (let at = 0; at < running.log.length; at += 4_001) {
      const log = Buffer.from(running.log);
      log[at] = (log[at] ?? 0) ^ 0x10;
      await expectSomeTime(await placed(running.db, { log }), `byte ${at}`);
      await expectSomeTime(
        await placed(running.db, { log: running.log.subarray(0, at + 1) }),
        `cut at ${at}`,
      );
    }
  });

  test("an older copy of the file beside a newer log", async () => {
    const path = join(folder, "older.db");
    await writeFile(path, closed);
    const journal = await open(path);
    await fill(journal);
    const log = await readFile(`${path}-wal`);
    await journal.close();
    await expectSomeTime(await placed(closed.subarray(0, closed.length), { log }), "older file");
    await expectSomeTime(await placed(running.db, { log }), "much older file");
  });
});

describe("what is left of a journal is not taken for a new one", () => {
  const refused = async (path: string, what: string) => {
    const before = await filesOf(path);
    const error = await found(path);
    expectRefusal(error, what);
    expect((error as RotationError).message).toContain(what);
    expect(await filesOf(path)).toMatchObject(before);
  };

  test("an empty file beside a write-ahead log, which SQLite would throw away", async () => {
    await refused(await placed(Buffer.alloc(0), { log: running.log }), "is empty, although it was in use");
  });

  test("an empty file beside the folder of its holders", async () => {
    await refused(await placed(Buffer.alloc(0), { holders: true }), "is empty, although it was in use");
  });

  test("a write-ahead log alone", async () => {
    await refused(await placed(undefined, { log: running.log }), "is not there");
  });

  test("a file whose write-ahead log is gone with all that it held", async () => {
    await refused(await placed(running.db, { holders: true }), "has lost its write-ahead log");
  });

  test("an empty file with nothing beside it is a new journal, and so is none", async () => {
    for (const path of [await placed(Buffer.alloc(0)), await placed(undefined)])
      expect(await found(path)).toBeInstanceOf(Map);
  });

  test("once every file of it is moved away, a new journal is made in its place", async () => {
    const path = await placed(Buffer.alloc(0), { log: running.log, holders: true });
    for (const name of await readdir(join(path, ".."))) await rm(join(path, "..", name), { recursive: true });
    expect(await found(path)).toBeInstanceOf(Map);
    expect(existsSync(path)).toBe(true);
  });
});

async function filesOf(path: string): Promise<Record<string, string>> {
  const parent = join(path, "..");
  const names = (await readdir(parent, { withFileTypes: true })).filter((entry) => entry.isFile());
  return Object.fromEntries(
    await Promise.all(
      names.map(async ({ name }) => [name, (await readFile(join(parent, name))).toString("hex")]),
    ),
  );
}

describe("one damaged target", () => {
  /** Another text in place of one target's document; none for a text that is to stay. */
  async function damage(sql: string): Promise<Journal> {
    const path = await placed(undefined);
    await copyFile(join(folder, "whole.db"), path);
    const db = new DatabaseSync(path);
    db.exec(sql);
    db.close();
    return open(path);
  }

  test.each([
    ["cut in the middle", "substr(document, 1, length(document) / 2)"],
    ["emptied", "''"],
    ["with another digit in a hash", "replace(document, '0000', '0001')"],
    ["of another document", "(SELECT document || ' ' FROM targets WHERE target = 'local/batch')"],
  ])("%s is refused by its name, and the others are read", async (_, text) => {
    const journal = await damage(`UPDATE targets SET document = ${text} WHERE target = 'local/payments'`);
    await expect(journal.read("local/payments")).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining("local/payments"),
      hint: expect.stringContaining("--take-over"),
    });
    expect(await journal.all()).toMatchObject([
      { target: "local/batch", document: { version: 1 } },
      { target: "local/billing", document: { version: 1 } },
      { target: "local/payments", error: { code: "unusable" } },
    ]);
    await journal.close();
  });

  test("a damaged request is refused by the name of its target", async () => {
    const journal = await damage(
      "INSERT INTO requests (id, target, request) VALUES ('r', 'local/payments', '{ \"id\": ')",
    );
    await expect(journal.read("local/payments")).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining("local/payments"),
    });
    expect((await journal.read("local/billing")).requests).toEqual([]);
    await journal.close();
  });

  test("damaged facts of one event are shown as they are, and hide no other event", async () => {
    const journal = await damage(
      "INSERT INTO events (at, target, key, epoch, actor, kind, reason, message, data) VALUES (1, 't', 'k', 1, 'a', 'x', 'r', 'm', '{ cut')",
    );
    const events = await journal.history({});
    expect(events.at(-1)?.data).toEqual({ damaged: "{ cut" });
    expect(events.length).toBeGreaterThan(10);
    await journal.close();
  });
});
