import { existsSync, statSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { type Child, startChild } from "./child.ts";
import { manualClock } from "./manual-clock.ts";

const HOUR = 3_600_000;
let folder: string;
let path: string;
let children: Child[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-processes-"));
  path = join(folder, "journal.db");
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map((child) => child.kill()));
  await rm(folder, { recursive: true });
});

async function child(): Promise<Child> {
  const started = await startChild(path);
  children.push(started);
  return started;
}

test("two processes that create and open a journal at once open the same one", async () => {
  const [a, b] = await Promise.all([child(), child()]);
  const ids = await Promise.all([a, b].map((one) => one.tell({ do: "open", path })));
  expect(ids[0]?.id).toBe(ids[1]?.id);
});

test("of two processes that fight for many leases each lease goes to exactly one", async () => {
  const targets = Array.from({ length: 40 }, (_, n) => `target-${n}`);
  const [a, b] = await Promise.all([child(), child()]);
  const answers = await Promise.all([
    a.tell({ do: "acquire", targets, ttlMs: HOUR }),
    b.tell({ do: "acquire", targets: targets.toReversed(), ttlMs: HOUR }),
  ]);
  const won = answers.flatMap(({ leases }) => leases ?? []);
  expect(answers.map(({ error }) => error)).toEqual([undefined, undefined]);
  expect(won.map(({ target }) => target).sort()).toEqual(targets.toSorted());
  expect(won.every(({ epoch }) => epoch === 1)).toBe(true);
});

test("the lease of a process killed with SIGKILL is taken at once, and what it wrote is there", async () => {
  const killed = await child();
  await killed.tell({ do: "acquire", targets: ["t", "u"], ttlMs: HOUR });
  await killed.tell({ do: "commit", target: "t" });
  await killed.kill();
  expect(statSync(`${path}-wal`).size).toBeGreaterThan(0);

  const journal = await openSqliteJournal(path, { clock: manualClock(Date.now()), random: systemRandom });
  expect(await journal.acquire("t", HOUR)).toMatchObject({ epoch: 2 });
  expect(await journal.acquire("u", HOUR)).toMatchObject({ epoch: 2 });
  expect(await journal.ownerOf("hash of t")).toBe("t");
  expect(await readdir(`${path}.holders`)).toHaveLength(1);
  await journal.close();
  expect(await readdir(`${path}.holders`)).toEqual([]);
});

test("the lease of a process stopped with SIGSTOP is taken only when it has run out; woken, the process finds it lost", async () => {
  const stopped = await child();
  const clock = manualClock(Date.now());
  await stopped.tell({ do: "acquire", targets: ["t"], ttlMs: HOUR });
  stopped.signal("SIGSTOP");

  const journal = await openSqliteJournal(path, { clock, random: systemRandom });
  expect(await journal.acquire("t", HOUR)).toBeUndefined();
  clock.advance(2 * HOUR);
  expect(await journal.acquire("t", HOUR)).toMatchObject({ epoch: 2 });

  stopped.signal("SIGCONT");
  expect(await stopped.tell({ do: "commit", target: "t" })).toEqual({ error: "busy" });
  expect(await journal.ownerOf("hash of t")).toBeUndefined();
  await journal.close();
});

test("a journal that another process keeps locked is waited for, and then is busy", async () => {
  const { DatabaseSync } = await import("node:sqlite");
  const clock = manualClock();
  const journal = await openSqliteJournal(path, { clock, random: systemRandom });
  const blocker = new DatabaseSync(path);
  blocker.exec("BEGIN IMMEDIATE");
  const before = clock.now();
  await expect(journal.acquire("t", HOUR)).rejects.toMatchObject({ code: "busy" });
  expect(clock.now() - before).toBeGreaterThanOrEqual(10_000);

  const patient = journal.acquire("t", HOUR);
  blocker.exec("ROLLBACK");
  expect(await patient).toMatchObject({ epoch: 1 });
  blocker.close();
  await journal.close();
  expect(existsSync(path)).toBe(true);
});
