import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { anyJson, mutated, nested, outcome, runs } from "./generators.ts";
import { hastyClock } from "./provider-answers.ts";

const folder = mkdtempSync(join(tmpdir(), "keyturn-hostile-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));

const clock = hastyClock();
const open = (file: string) => openSqliteJournal(file, { clock, random: systemRandom });
const TARGET = "file:/secrets#payments";
const DOCUMENT = { ...emptyDocument(), keys: { KEY: { name: "payments-api", provider: "openrouter" } } };

/** A whole journal's file, with one target in it. */
let sound: Buffer;
beforeAll(async () => {
  const file = join(folder, "sound.db");
  const journal = await open(file);
  const lease = await journal.acquire(TARGET, 60_000);
  if (!lease) throw new Error("the lease of a new journal is free");
  await journal.commit(lease, { document: DOCUMENT, events: [] });
  await journal.release(lease);
  await journal.close();
  sound = readFileSync(file);
});

let count = 0;
const fresh = () => join(folder, `journal-${++count}.db`);

async function closing<T>(journal: Journal, work: (journal: Journal) => Promise<T>): Promise<T> {
  try {
    return await work(journal);
  } finally {
    await journal.close();
  }
}

test("a file of any bytes is refused and left as it is, never taken for an empty journal", async () => {
  const head = Buffer.from("SQLite format 3\0");
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((list) => Buffer.from(list));
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), async (list, named) => {
      const file = fresh();
      const content = named ? Buffer.concat([head, list]) : list;
      writeFileSync(file, content, { mode: 0o600 });
      const { error } = await outcome(
        open(file).then((journal) => journal.close()),
        [],
      );
      expect(error?.code).toBe("unusable");
      expect(readFileSync(file)).toEqual(content);
    }),
    runs(30),
  );
});

test("a journal cut off anywhere, or overwritten at its head, is refused, or still holds what it held", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1_000_000),
      fc.uint8Array({ maxLength: 600 }),
      fc.boolean(),
      async (at, damage, cut) => {
        const file = fresh();
        const content = cut ? sound.subarray(0, 1 + (at % (sound.length - 1))) : Buffer.from(sound);
        if (!cut) content.set(damage, at % 100);
        writeFileSync(file, content, { mode: 0o600 });
        const opened = await outcome(open(file), []);
        if (opened.error) {
          expect(["unusable", "newer-version"]).toContain(opened.error.code);
          return;
        }
        const { value, error } = await outcome(
          closing(opened.value, (journal) => journal.read(TARGET)),
          [],
        );
        if (error) expect(["unusable", "newer-version"]).toContain(error.code);
        else expect(value.document).toEqual(DOCUMENT);
      },
    ),
    runs(30),
  );
});

test("a row of any text is unusable or a document, never an empty one", async () => {
  const text = fc.oneof(
    fc.string({ maxLength: 40 }),
    anyJson.map((json) => JSON.stringify(json)),
    mutated(DOCUMENT).map((json) => JSON.stringify(json) ?? ""),
    fc.constantFrom("", "null", nested(20_000), '{"version":2}', '{"version":1}'),
  );
  const file = fresh();
  writeFileSync(file, sound, { mode: 0o600 });
  await closing(await open(file), async (journal) => {
    const database = new DatabaseSync(file);
    const put = database.prepare("UPDATE targets SET document = ? WHERE target = ?");
    await fc.assert(
      fc.asyncProperty(text, async (row) => {
        put.run(row, TARGET);
        const { value, error } = await outcome(journal.read(TARGET), []);
        if (error) expect(["unusable", "newer-version"]).toContain(error.code);
        else expect(value.document).toEqual(JSON.parse(row));
      }),
      runs(100),
    );
    database.close();
  });
});
