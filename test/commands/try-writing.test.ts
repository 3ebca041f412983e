import { expect, test } from "vitest";
import { writeTrials } from "../../src/commands/try-writing.ts";
import { RotationError } from "../../src/lib/errors.ts";

test("a write is tried at once, then once a minute at most, and what came of it is told", async () => {
  let now = 0;
  let fault: RotationError | undefined;
  let tried = 0;
  const told: (string | undefined)[] = [];
  const journal = {
    assertWritable: async () => {
      tried += 1;
      if (fault) throw fault;
    },
  };
  const clock = { now: () => now, sleep: async () => {} };
  const trial = writeTrials(journal, clock, { written: (error) => void told.push(error?.code) });
  for (now = 0; now < 60_000; now += 1_000) await trial();
  expect([tried, told]).toEqual([1, [undefined]]);
  fault = new RotationError("full", "no space left");
  await trial();
  expect(told).toEqual([undefined, "full"]);
  now -= 3_600_000;
  fault = undefined;
  await trial();
  expect(told).toEqual([undefined, "full", undefined]);
});
