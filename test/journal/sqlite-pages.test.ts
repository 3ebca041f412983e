import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { sqlitePlace } from "../../src/journal/sqlite/place.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";

const PARTS = { clock: systemClock, random: systemRandom };

/** A journal of so many targets, as one that was brought here. */
async function journalOf(targets: readonly string[]) {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-pages-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "journal.db");
  const archived = targets.map((target) => ({ target, epoch: 1, document: emptyDocument() }));
  await sqlitePlace(path, PARTS).fill({
    id: "0123456789abcdef",
    targets: archived,
    requests: [],
    notices: [],
    events: [],
  });
  const journal = await openSqliteJournal(path, PARTS);
  onTestFinished(() => journal.close());
  return journal;
}

const numbered = (count: number) =>
  Array.from({ length: count }, (_, index) => `store/${String(index).padStart(4, "0")}`);

test.each([0, 1, 199, 200, 201, 400, 1_000])("each of %i targets is shown once, in order", async (count) => {
  const journal = await journalOf(numbered(count));
  const shown: string[] = [];
  await journal.each(({ target }) => shown.push(target));
  expect(shown).toEqual(numbered(count));
  expect((await journal.all()).map(({ target }) => target)).toEqual(numbered(count));
});

test("while a large journal is read, the process does other things, and what is written meanwhile does no harm", async () => {
  const journal = await journalOf(numbered(1_000));
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 0);
  const shown = new Set<string>();
  const reading = journal.each(({ target }) => shown.add(target));
  const lease = await journal.acquire("store/0999-new", 60_000);
  if (lease === undefined) throw new Error("no lease");
  await journal.commit(lease, { document: emptyDocument(), events: [] });
  await reading;
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
  for (const target of numbered(1_000)) expect(shown).toContain(target);
});
