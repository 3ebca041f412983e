import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rolldown } from "rolldown";
import { awsWorld } from "./aws-world.ts";
import { CLI, ratios, sideBySide, timeProcess } from "./measure.ts";
import type { Row } from "./report.ts";
import { scratchFolder } from "./scratch.ts";

/** What `rotate validate` cannot do without. */
const READING = [
  `import { z } from "zod";`,
  `import { getScalarValue, parseEvents } from "js-yaml";`,
  `import { Command } from "commander";`,
  `import { Cron } from "croner";`,
  `import { validate } from "node-cron";`,
  "globalThis.used = [z.strictObject, getScalarValue, parseEvents, Command, Cron, validate];",
];
/** What `rotate once` cannot do without when nothing is due: to open the journal, to log, and to take turns. */
const PASSING = [
  ...READING,
  `import { DatabaseSync } from "node:sqlite";`,
  `import { pino } from "pino";`,
  `import PQueue from "p-queue";`,
  "globalThis.used.push(DatabaseSync, pino, PQueue);",
];

/**
 * Wall time of commands that have nothing to do, whole process: to that of Node with nothing to do,
 * and to that of Node which imports what the command needs and does nothing with it. This once from
 * the files of its packages, as an import finds them, and once from one file, in which is only what
 * is used: that is the floor.
 */
export async function coldStart(runs: number): Promise<Row[]> {
  await using scratch = await scratchFolder("cold-start");
  const reading = await imports(scratch.path, "reading", READING);
  const passing = await imports(scratch.path, "passing", PASSING);

  await using world = await awsWorld("cold", 0);
  const policy = ["--policy", world.policy];
  await timeProcess([CLI, "now", ...policy], world.env);

  const commands = [
    { what: "`rotate --version`", words: ["--version"], asked: "≤ 1.5 ×", beside: [BARE] },
    { what: "`rotate --help`", words: ["--help"], asked: "≤ 1.5 ×", beside: [BARE] },
    { what: "`rotate validate`", words: ["validate", ...policy], beside: [BARE, ...reading] },
    { what: "`rotate once`, nothing due", words: ["once", ...policy], beside: [BARE, ...passing] },
  ];
  const rows: Row[] = [];
  for (const { what, words, asked, beside } of commands) {
    const contenders = [[CLI, ...words], ...beside.map(({ argv }) => argv)];
    const [ours = [], ...theirs] = await sideBySide(
      contenders.map((argv) => () => timeProcess(argv, world.env)),
      runs,
    );
    for (const [index, { against }] of beside.entries())
      rows.push({ what, against, ...(asked && { asked }), measured: ratios(ours, theirs[index] ?? []) });
  }
  return rows;
}

interface Beside {
  against: string;
  argv: string[];
}

const BARE: Beside = { against: "`node -e 0`", argv: ["-e", "0"] };

/** Node with these imports alone: as they are installed, and from one file. */
async function imports(folder: string, name: string, lines: readonly string[]): Promise<Beside[]> {
  const installed = join(folder, `${name}.mjs`);
  await writeFile(installed, lines.join("\n"));
  const bundle = await rolldown({ input: installed, platform: "node", logLevel: "silent" });
  const file = join(folder, `${name}-bundled.mjs`);
  await bundle.write({ file, format: "esm" });
  await bundle.close();
  return [
    { against: "Node with the same imports", argv: [installed] },
    { against: "the same imports from one file", argv: [file] },
  ];
}
