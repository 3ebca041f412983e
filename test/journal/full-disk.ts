/**
 * Run in a namespace of its own with a small file system at the folder named: fills it up, writes to
 * the journal and to the file store, makes room and writes again; prints what came of it as JSON.
 */
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyDocument } from "../../src/journal/document.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { MIGRATIONS } from "../../src/journal/sqlite/schema.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { RotationError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { fileStore } from "../../src/stores/file/file-store.ts";

const folder = process.argv[2] as string;
const outside = { clock: systemClock, random: systemRandom };
const filler = join(folder, "filler");
const ref = { secret: "payments", field: "KEY" };
const big = "k".repeat(20_000);

/** Leaves no more than `bytes` free. */
function fill(bytes: number): void {
  const { bfree, bsize } = statfsSync(folder);
  writeFileSync(filler, Buffer.alloc(Math.max(0, bfree * bsize - bytes)));
}

const makeRoom = () => rmSync(filler);

async function outcome(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return "done";
  } catch (thrown) {
    const { code, message, hint } = thrown as RotationError;
    return { code, message: message.replaceAll(folder, "DIR"), hint };
  }
}

const journal = await openSqliteJournal(join(folder, "journal.db"), outside);
const lease = await journal.acquire("t", 60_000);
if (lease === undefined) throw new Error("no lease");
const commit = (kind: string, message: string) =>
  journal.commit(lease, {
    document: emptyDocument(),
    events: [{ at: 1, key: "k", actor: "a", kind, reason: "r", message }],
  });
const told: Record<string, unknown> = {};

await commit("before", "fits");
fill(8_192);
told.commit = await outcome(() => commit("too much", big.repeat(10)));
told.afterwards = (await journal.history({})).map(({ kind }) => kind);
makeRoom();
told.commitAgain = await outcome(() => commit("after", big.repeat(10)));
await journal.close();
const again = await openSqliteJournal(join(folder, "journal.db"), outside);
told.kept = (await again.history({})).map(({ kind }) => kind);
await again.close();

const upgrade = async () => {
  const since = "0.9.0";
  const up = () => {};
  const upgraded = await openSqliteJournal(join(folder, "journal.db"), {
    ...outside,
    migrations: [...MIGRATIONS, { since, up }],
  });
  await upgraded.close();
};
fill(65_536);
told.upgrade = await outcome(upgrade);
makeRoom();
told.copies = readdirSync(folder).filter((name) => name.endsWith(".bak"));

const store = fileStore("local", { path: join(folder, "secrets"), mode: "0600", dirMode: "0700" }, outside);
const file = join(folder, "secrets", "payments.json");
const stage = async (rotation: string) => {
  const { base } = await store.observe(ref);
  return store.stage(ref, { rotation, hash: rotation, value: new Secret(big + rotation), base });
};
await store.claim(ref, { installation: "i", journal: "j" }, { create: true });
const first = await stage("one");
await store.promote(ref, first.version, first.base);
const consumed = readFileSync(file, "utf8");

fill(4_096);
told.stage = await outcome(() => stage("two"));
told.consumerFileUntouched = readFileSync(file, "utf8") === consumed;
told.stagedThen = (await store.observe(ref)).staged.length;
makeRoom();
const second = await stage("two");
fill(4_096);
told.promote = await outcome(() => store.promote(ref, second.version, second.base));
told.stillConsumed = readFileSync(file, "utf8") === consumed;
makeRoom();
told.promoteAgain = await outcome(() => store.promote(ref, second.version, second.base));
told.current = (await store.observe(ref)).current?.value?.reveal().endsWith("two");
told.leftovers = readdirSync(join(folder, "secrets")).filter((name) => name.endsWith(".tmp"));
process.stdout.write(JSON.stringify(told));
