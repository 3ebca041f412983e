import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { TargetDocument } from "../../src/journal/document.ts";
import type { Change, Journal, Lease } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { documentWith, eventOf } from "../journal/content.ts";
import { ratios, sideBySide } from "./measure.ts";
import type { Row } from "./report.ts";

/** How many steps are written in a row, by either contender. */
const IN_A_ROW = 200;
const AT_ONCE = 1_000;

/**
 * The durable write of one step, of the SQLite journal, next to a bare write of the same bytes to
 * the same disk (the folder for temporary files; `TMPDIR` names another): appended and synced, as a
 * log would be, and written over what is there, which spares the file system its own bookkeeping.
 * The bytes are those of the change, a document and an event. SQLite writes whole pages, about seven
 * for a step, keeps indexes, and compares the epoch. Of targets that commit at once many share one
 * wait for the disk, so that one of them costs less than a sync.
 */
export async function journal(runs: number): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
  const sqlite = await openSqliteJournal(join(folder, "journal.db"), {
    clock: systemClock,
    random: systemRandom,
  });
  const appended = openSync(join(folder, "appended"), "a");
  const inPlace = openSync(join(folder, "in-place"), "w");
  try {
    const leases = await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => take(sqlite, `target-${n}`)));
    let step = 0;
    const commit = (lease: Lease) => sqlite.commit(lease, changeOf(lease.target, ++step));
    const bytes = () => Buffer.from(JSON.stringify(changeOf("target", ++step)));
    const [one = [], log = [], over = [], together = []] = await sideBySide(
      [
        () =>
          timeEach(IN_A_ROW, async () => {
            for (const lease of leases.slice(0, IN_A_ROW)) await commit(lease);
          }),
        () =>
          timeEach(IN_A_ROW, () => {
            for (let n = 0; n < IN_A_ROW; n += 1) {
              writeSync(appended, bytes());
              fsyncSync(appended);
            }
          }),
        () =>
          timeEach(IN_A_ROW, () => {
            for (let n = 0; n < IN_A_ROW; n += 1) {
              writeSync(inPlace, bytes(), null, null, 0);
              fdatasyncSync(inPlace);
            }
          }),
        () =>
          timeEach(AT_ONCE, async () => {
            await Promise.all(leases.map(commit));
          }),
      ],
      runs,
    );
    return [
      {
        what: "one step's commit",
        against: "an append of the same bytes and `fsync`",
        measured: ratios(one, log),
      },
      {
        what: "one step's commit",
        against: "the same bytes in place and `fdatasync`",
        measured: ratios(one, over),
      },
      {
        what: `a commit of ${AT_ONCE.toLocaleString("en")} at once`,
        against: "an append of the same bytes and `fsync`",
        measured: ratios(together, log),
      },
      {
        what: `a commit of ${AT_ONCE.toLocaleString("en")} at once`,
        against: "one step's commit",
        measured: ratios(together, one),
      },
    ];
  } finally {
    closeSync(appended);
    closeSync(inPlace);
    await sqlite.close();
    await rm(folder, { recursive: true });
  }
}

/** Wall time of the work by its parts, in milliseconds. */
async function timeEach(parts: number, work: () => Promise<void> | void): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / parts;
}

async function take(from: Journal, target: string): Promise<Lease> {
  const lease = await from.acquire(target, 3_600_000);
  if (lease === undefined) throw new Error(`no lease of ${target}`);
  return lease;
}

/** What a step writes of a key that has been rotated for a while: about two thousand bytes, another each time. */
function changeOf(target: string, step: number): Change {
  const hashes = ["old", "new"].map((which) => `${which}-${target}`.padEnd(64, "-"));
  const document: TargetDocument = documentWith(...hashes);
  for (let n = 0; n < 8; n += 1) {
    const name = `keyturn/prod/payments-api/2026-11-${10 + n}/0123456789ab`;
    document.intents[name] = {
      name,
      rotation: `0123456789abcdef${n}`,
      field: "",
      provider: "openrouter",
      plannedAt: step,
      settled: "issued",
    };
  }
  return { document, events: [eventOf("promoted", { rotation: `r${step % IN_A_ROW}` })] };
}
