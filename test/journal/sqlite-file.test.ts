import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { emptyDocument, type NewEvent } from "../../src/journal/document.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { MIGRATIONS, type Migration } from "../../src/journal/sqlite/schema.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { manualClock } from "./manual-clock.ts";

const MINUTE = 60_000;
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-file-"));
  path = join(folder, "journal.db");
});
afterEach(() => rm(folder, { recursive: true }));

function open(migrations?: readonly Migration[], at = path) {
  return openSqliteJournal(at, { clock: manualClock(), random: systemRandom, migrations });
}

/** A journal with a target of many events in it, closed. */
async function written(): Promise<string> {
  const journal = await open();
  const lease = await journal.acquire("t", MINUTE);
  if (lease)
    await journal.commit(lease, {
      document: emptyDocument(),
      events: Array.from({ length: 200 }, () => event),
    });
  await journal.close();
  return journal.id;
}

const event: NewEvent = {
  at: 1,
  key: "payments-api",
  actor: "schedule",
  kind: "created",
  reason: "due",
  message: "a key was created ".repeat(10),
};

/** The error of an opening that must fail. */
async function refusal(migrations?: readonly Migration[], at = path): Promise<RotationError> {
  const outcome = await open(migrations, at).catch((thrown: unknown) => thrown);
  if (outcome instanceof RotationError) return outcome;
  throw new Error(`expected a refusal, found ${outcome}`);
}

const mode = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

describe("creating", () => {
  test("a new journal is private, and in .keyturn it is kept out of git", async () => {
    const journal = await open(undefined, join(folder, ".keyturn", "journal.db"));
    await journal.acquire("t", MINUTE);
    const made = join(folder, ".keyturn");
    expect(await readFile(join(made, ".gitignore"), "utf8")).toBe("*\n");
    expect(await mode(made)).toBe("700");
    expect(await mode(join(made, "journal.db"))).toBe("600");
    expect(await mode(join(made, "journal.db-wal"))).toBe("600");
    expect(await mode(join(made, "journal.db.holders"))).toBe("700");
    await journal.close();
  });

  test("a .gitignore that is there stays as it is, and no other folder gets one", async () => {
    await mkdir(join(folder, ".keyturn"));
    await writeFile(join(folder, ".keyturn", ".gitignore"), "secrets\n");
    await (await open(undefined, join(folder, ".keyturn", "journal.db"))).close();
    await (await open()).close();
    expect(await readFile(join(folder, ".keyturn", ".gitignore"), "utf8")).toBe("secrets\n");
    expect(existsSync(join(folder, ".gitignore"))).toBe(false);
  });

  test("an empty file counts as no journal", async () => {
    await writeFile(path, "");
    const journal = await open();
    expect(await journal.all()).toEqual([]);
    await journal.close();
  });
});

describe("what is written", () => {
  test("the event log refuses changes, also by hand", async () => {
    await written();
    const db = new DatabaseSync(path);
    expect(() => db.exec("UPDATE events SET actor = 'nobody'")).toThrow("append-only");
    expect(() => db.exec("DELETE FROM events")).toThrow("append-only");
    db.close();
  });

  test("SQLite writes as safely as it must, whatever its defaults are", async () => {
    const settings: Record<string, unknown> = {};
    const look: Migration = {
      since: "0.1.0",
      up: (connection) => {
        for (const name of ["journal_mode", "synchronous", "foreign_keys"]) {
          Object.assign(settings, connection.sql(`PRAGMA ${name}`).get());
        }
      },
    };
    await (await open([...MIGRATIONS, look])).close();
    expect(settings).toEqual({ journal_mode: "wal", synchronous: 1, foreign_keys: 1 });
  });

  test("a full disk is reported as such, and leaves what was written before", async () => {
    const small: Migration = {
      since: "0.1.0",
      up: (connection) => connection.exec("PRAGMA max_page_count = 20"),
    };
    const journal = await open([...MIGRATIONS, small]);
    const lease = await journal.acquire("t", MINUTE);
    if (lease === undefined) throw new Error("no lease");
    await journal.commit(lease, { document: emptyDocument(), events: [event] });
    const tooMuch = { document: emptyDocument(), events: Array.from({ length: 1_000 }, () => event) };
    await expect(journal.commit(lease, tooMuch)).rejects.toMatchObject({ code: "full" });
    expect(await journal.history({})).toHaveLength(1);
    await journal.commit(lease, { document: emptyDocument(), events: [event] });
    expect(await journal.history({})).toHaveLength(2);
    await journal.close();
  });

  test("a journal deleted or moved while it is open refuses further writes", async () => {
    const journal = await open();
    await rename(path, `${path}.moved`);
    await expect(journal.acquire("t", MINUTE)).rejects.toMatchObject({ code: "unusable" });
    await expect(journal.assertWritable()).rejects.toMatchObject({ code: "unusable" });
    await journal.close();
  });

  test("to try whether it can be written is a write that reaches the disk", async () => {
    const journal = await open();
    const before = statSync(`${path}-wal`).size;
    await journal.assertWritable();
    expect(statSync(`${path}-wal`).size).toBeGreaterThan(before);
    await journal.close();
  });

  test("a damaged or newer document is refused by the name of its target", async () => {
    await written();
    const set = (text: string) => {
      const db = new DatabaseSync(path);
      db.prepare("UPDATE targets SET document = ?").run(text);
      db.close();
    };
    const journal = await open();
    set("{ not json");
    await expect(journal.read("t")).rejects.toMatchObject({
      code: "unusable",
      message: expect.stringContaining(" t "),
    });
    set(JSON.stringify({ version: 2 }));
    expect(await journal.all()).toMatchObject([
      { target: "t", error: { code: "newer-version", message: expect.stringContaining(" t ") } },
    ]);
    await journal.close();
  });
});

describe("schema versions", () => {
  const next: Migration = {
    since: "0.9.0",
    up: (connection) =>
      connection.exec("CREATE TABLE extra (n INTEGER) STRICT; INSERT INTO extra VALUES (1)"),
  };

  test("an older journal is brought up to date, after a private copy of it", async () => {
    const id = await written();
    const journal = await open([...MIGRATIONS, next]);
    expect(journal.id).toBe(id);
    expect(await journal.history({})).toHaveLength(200);
    await journal.close();

    const copy = `${path}.v2-20261121T031500Z.bak`;
    expect((await readdir(folder)).filter((name) => name.endsWith(".bak"))).toEqual([
      "journal.db.v2-20261121T031500Z.bak",
    ]);
    expect(await mode(copy)).toBe("600");
    const restored = await open(MIGRATIONS, copy);
    expect(restored.id).toBe(id);
    expect(await restored.history({})).toHaveLength(200);
    await restored.close();
  });

  test("the copy holds also what still lies in the write-ahead log", async () => {
    const running = await open();
    const lease = await running.acquire("t", MINUTE);
    if (lease) await running.commit(lease, { document: emptyDocument(), events: [event] });
    await (await open([...MIGRATIONS, next])).close();
    await running.close();
    const restored = await open(MIGRATIONS, `${path}.v2-20261121T031500Z.bak`);
    expect(await restored.history({})).toHaveLength(1);
    await restored.close();
  });

  test("a migration that fails leaves the journal as it was, without a copy", async () => {
    const id = await written();
    const broken: Migration = {
      since: "0.9.0",
      up: (connection) => connection.exec("CREATE TABLE half (n); SELECT nonsense"),
    };
    await refusal([...MIGRATIONS, broken]);
    const journal = await open();
    expect(journal.id).toBe(id);
    await journal.close();
    expect((await readdir(folder)).filter((name) => name.endsWith(".bak"))).toEqual([]);
  });

  test("a journal of a newer version is refused, with the version of keyturn that it needs", async () => {
    await (await open([...MIGRATIONS, next])).close();
    const before = await readFile(path);
    const error = await refusal();
    expect(error.code).toBe("newer-version");
    expect(error.message).toContain("has schema 3; this keyturn knows 2");
    expect(error.hint).toContain("run keyturn 0.9.0 or newer");
    expect(await readFile(path)).toEqual(before);
  });
});

describe("files that are refused and left as they are", () => {
  const damages: [string, (file: string) => Promise<void>][] = [
    ["random bytes", (file) => writeFile(file, randomBytes(8192))],
    ["a few letters", (file) => writeFile(file, "hello")],
    ["one cut off in the middle", async (file) => truncate(file, Math.floor((await stat(file)).size / 2))],
    ["one with a page overwritten", (file) => overwrite(file, 4096 * 5, randomBytes(4096))],
    [
      "a database of something else",
      async (file) => {
        await rm(file);
        const db = new DatabaseSync(file);
        db.exec("CREATE TABLE accounts (n)");
        db.close();
      },
    ],
  ];
  test.each(damages)("%s", async (_name, damage) => {
    await written();
    await damage(path);
    const before = await readFile(path);
    const error = await refusal();
    expect(error.code).toBe("unusable");
    expect(error.message).toContain(path);
    expect(error.hint).toContain("--take-over");
    expect(await readFile(path)).toEqual(before);
  });

  test("a folder in the journal's place", async () => {
    await mkdir(path);
    expect((await refusal()).code).toBe("unusable");
  });

  test("a path below a file", async () => {
    await writeFile(join(folder, "file"), "");
    expect(await refusal(undefined, join(folder, "file", "journal.db"))).toMatchObject({ code: "unusable" });
  });

  test("damage met only while it runs is reported as such", async () => {
    await written();
    const journal = await open();
    await overwrite(path, 4096, randomBytes((await stat(path)).size - 4096));
    await expect(journal.history({})).rejects.toMatchObject({ code: "unusable" });
    await journal.close();
  });
});

/** Root may write anywhere, so that a missing right can only be met as somebody else. */
describe.runIf(process.getuid?.() === 0)("as a user without rights", () => {
  const openAsNobody = (file: string) =>
    JSON.parse(
      execFileSync(process.execPath, [fileURLToPath(new URL("./open-as-nobody.ts", import.meta.url)), file], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }),
    ) as { code?: string; hint?: string };

  test("a folder that may not be written is forbidden", async () => {
    await chmod(folder, 0o755);
    expect(openAsNobody(path)).toMatchObject({ code: "forbidden", hint: expect.stringContaining("right") });
    expect(existsSync(path)).toBe(false);
  });

  test("a journal that may not be read is forbidden, and so is one that may not be written", async () => {
    await written();
    await chmod(folder, 0o777);
    expect(openAsNobody(path)).toMatchObject({ code: "forbidden" });
    await chmod(path, 0o644);
    expect(openAsNobody(path)).toMatchObject({ code: "forbidden" });
  });
});

test("ten thousand targets are read in one go", async () => {
  await written();
  const db = new DatabaseSync(path);
  db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
           INSERT INTO targets (target, document) SELECT 'target-' || i, (SELECT document FROM targets) FROM n`);
  db.close();
  const journal = await open();
  expect(await journal.all()).toHaveLength(10_000);
  await journal.close();
});

test("a copy restored from a backup is the same journal", async () => {
  const id = await written();
  await copyFile(path, `${path}.backup`);
  await rm(path);
  await copyFile(`${path}.backup`, path);
  const journal = await open();
  expect(journal.id).toBe(id);
  await journal.close();
});

async function overwrite(file: string, at: number, bytes: Buffer): Promise<void> {
  const content = await readFile(file);
  bytes.copy(content, at);
  await writeFile(file, content);
}
