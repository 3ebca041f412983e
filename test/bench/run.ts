/**
 * `npm run bench`: what keyturn costs, as ratios of medians measured side by side in this run, with
 * the quartiles beside them. `--runs N` says how often each is run.
 */
import { parseArgs } from "node:util";
import { againstScript } from "./against-script.ts";
import { coldStart } from "./cold-start.ts";
import type { Spread } from "./measure.ts";

const { values } = parseArgs({ options: { runs: { type: "string", default: "11" } } });
const runs = Number(values.runs);

const rows: [what: string, against: string, spread: Spread][] = [];
for (const latency of [0, 50])
  rows.push([
    `\`rotate --now\` of one key, ${latency} ms a call`,
    "a script on the two SDKs",
    await againstScript(latency, runs),
  ]);
for (const [command, spread] of Object.entries(await coldStart(runs)))
  rows.push([`\`${command}\``, "`node -e 0`", spread]);

const figure = (value: number) => value.toFixed(2);
process.stdout.write("| what | against | time | half of the runs |\n| --- | --- | --- | --- |\n");
for (const [what, against, { median, low, high }] of rows)
  process.stdout.write(`| ${what} | ${against} | ${figure(median)} × | ${figure(low)}–${figure(high)} |\n`);
