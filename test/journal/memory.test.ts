import { expect, test } from "vitest";
import { memoryJournal, memoryJournalState } from "../../src/journal/memory.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { describeJournal } from "../conformance/journal.ts";
import { manualClock } from "./manual-clock.ts";

describeJournal("memory", async () => {
  const clock = manualClock();
  const parts = { clock, random: systemRandom };
  const shared = memoryJournalState(systemRandom);
  return {
    clock,
    open: async () => memoryJournal(parts, shared),
    dieHolding: async (target, ttlMs) => {
      const process = memoryJournal(parts, shared);
      await process.acquire(target, ttlMs);
      process.kill();
    },
    overwrite: async (target, text) => {
      shared.documents.set(target, text);
    },
    dispose: async () => {},
  };
});

test("a killed memory journal changes nothing any more", async () => {
  const parts = { clock: manualClock(), random: systemRandom };
  const shared = memoryJournalState(systemRandom);
  const killed = memoryJournal(parts, shared);
  await killed.acquire("t", 1_000);
  killed.kill();
  await expect(killed.acquire("u", 1_000)).rejects.toThrow("is closed");
  expect(await memoryJournal(parts, shared).acquire("u", 1_000)).toMatchObject({ epoch: 1 });
});
