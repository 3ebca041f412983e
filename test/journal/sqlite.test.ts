import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { describeJournal } from "../conformance/journal.ts";
import { startChild } from "./child.ts";
import { manualClock } from "./manual-clock.ts";

describeJournal("sqlite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "keyturn-journal-"));
  const path = join(folder, "journal.db");
  const clock = manualClock();
  return {
    clock,
    open: () => openSqliteJournal(path, { clock, random: systemRandom }),
    dieHolding: async (target, ttlMs) => {
      const child = await startChild(path);
      await child.tell({ do: "acquire", targets: [target], ttlMs });
      await child.kill();
    },
    overwrite: async (target, text) => {
      const db = new DatabaseSync(path);
      db.prepare("UPDATE targets SET document = ? WHERE target = ?").run(text, target);
      db.close();
    },
    dispose: () => rm(folder, { recursive: true }),
  };
});
