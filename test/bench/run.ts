/**
 * `npm run bench`: what keyturn costs, as ratios of medians measured side by side in this run, with
 * the quartiles beside them. Each section's figures are shown as they come and put into the README,
 * where those of sections that were not run stay.
 */
import { readFile, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type BenchOptions, benchOptions, USAGE } from "./options.ts";
import { plot } from "./plot.ts";
import { type Figures, putSection, type Size, table } from "./report.ts";
import { SECTIONS } from "./sections.ts";

const README = join(import.meta.dirname, "../../README.md");

/** Runs the sections that were asked for; one that fails is told, and the others go on. The exit status. */
async function run({ runs, sections, size, write }: BenchOptions): Promise<number> {
  if (write) for (const name of sections) await put(name, undefined);
  let failed = 0;
  for (const name of sections) {
    process.stdout.write(`\n${name}\n\n`);
    try {
      const section = await SECTIONS[name]?.();
      const figures = await section?.(runs, size);
      const text = `${figures === undefined ? "" : shown(figures, size)}\n\n${conditions(runs, size)}`;
      process.stdout.write(`${text}\n`);
      if (write) await put(name, text);
    } catch (thrown) {
      failed += 1;
      process.stderr.write(`${name} failed: ${thrown instanceof Error ? thrown.stack : thrown}\n`);
    }
  }
  return failed === 0 ? 0 : 1;
}

function shown(figures: Figures, size: Size): string {
  const { rows, plot: series } = Array.isArray(figures) ? { rows: figures } : figures;
  // Nothing is asked of a world so small.
  const judged = size === "small" ? rows?.map((row) => ({ ...row, asked: "" })) : rows;
  return [...(judged ? [table(judged)] : []), ...(series ? [plot(series)] : [])].join("\n\n");
}

/** When and on what it was measured. */
function conditions(runs: number, size: Size): string {
  const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const day = new Date().toISOString().slice(0, 10);
  const parts = [
    day,
    `Node ${process.versions.node}`,
    counted(availableParallelism(), "core"),
    counted(runs, "run"),
    ...(size === "usual" ? [] : [`--${size}`]),
  ];
  return `Measured ${parts.join(", ")}.`;
}

/** Puts a section's text into the README; without a text only tries whether there is a place for it. */
async function put(name: string, text: string | undefined): Promise<void> {
  const readme = await readFile(README, "utf8");
  const changed = putSection(readme, name, text ?? "");
  if (text !== undefined) await writeFile(README, changed);
}

try {
  process.exitCode = await run(benchOptions(process.argv.slice(2), Object.keys(SECTIONS)));
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\nusage: ${USAGE}\n`);
  process.exitCode = 2;
}
