import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { idleWorker } from "./idle-worker.ts";
import { type IdleWorld, idleWorld } from "./idle-world.ts";
import { CLI, ratios, sideBySide, spread, timeProcess } from "./measure.ts";
import type { Row, Size } from "./report.ts";

const KEYS = { usual: 10_000, large: 10_000, small: 200 };
/** A page: what somebody waits for. */
const USABLE_MS = 1_000;
/** Nobody waits for a scrape, but Prometheus gives it up after so long, by default. */
const SCRAPE_MS = 10_000;
/** How late a worker's event loop may come. */
const LATE_MS = 50;
/** A worker is watched for half a minute each time. */
const MOST_WORKERS = 3;

/**
 * What thousands of keys cost while nothing is due, no two with the same schedule: commands, whole
 * process, and a worker's page, metrics and event loop. Beside `once` runs Node with the very modules
 * that `once` loads, its compile cache among them, once doing nothing and once only parsing the
 * documents of the journal and the policy, which is less than any pass that judges each target can do.
 * A worker's figures are to bounds of usability: a second for what somebody waits for, Prometheus's
 * patience for a scrape, and 50 ms for how late the event loop comes, after the start.
 */
export async function idleFleet(runs: number, size: Size): Promise<Row[]> {
  const most = KEYS[size];
  await using one = await idleWorld(1);
  await using tenth = await idleWorld(most / 10);
  await using all = await idleWorld(most);
  const modules = await modulesOf(["once", "--policy", one.policy], one);
  const started = await script(one, "started.mjs", modules, "");
  const read = await script(all, "read.mjs", modules, PARSE_ALL);
  const run = (argv: string[], world: IdleWorld) => () => timeProcess(argv, world.env);
  const rotate = (command: string, world: IdleWorld) => run([CLI, command, "--policy", world.policy], world);

  const [bare = [], reading = [], ...times] = await sideBySide(
    [
      run([started], one),
      run([read], all),
      ...["once", "validate", "status"].flatMap((command) =>
        [one, tenth, all].map((world) => rotate(command, world)),
      ),
    ],
    runs,
  );
  const [, once10 = [], once = [], validate1 = [], , validate = [], status1 = [], , status = []] = times;
  const allowed = bare.map((ms) => 2 * ms + 100);
  const keys = (count: number) => `${count.toLocaleString("en")} keys`;
  const asked = "≤ 1 ×";
  const twice = "2 × Node with the same imports + 100 ms";
  const bound = `${USABLE_MS} ms`;
  const worker = await idleWorker(all, Math.min(runs, MOST_WORKERS));
  const of = (values: number[], ms: number) => spread(values.map((value) => value / ms));
  return [
    { what: `\`once\`, ${keys(most / 10)}`, against: twice, asked, measured: ratios(once10, allowed) },
    { what: `\`once\`, ${keys(most)}`, against: twice, asked, measured: ratios(once, allowed) },
    {
      what: `\`once\`, ${keys(most)}`,
      against: "the same imports, and journal and policy parsed",
      measured: ratios(once, reading),
    },
    { what: `\`validate\`, ${keys(most)}`, against: "1 key", measured: ratios(validate, validate1) },
    { what: `\`status\`, ${keys(most)}`, against: "1 key", measured: ratios(status, status1) },
    { what: `status page, cold, ${keys(most)}`, against: bound, asked, measured: of(worker.cold, USABLE_MS) },
    { what: `status page, warm, ${keys(most)}`, against: bound, asked, measured: of(worker.warm, USABLE_MS) },
    {
      what: `\`/metrics\`, ${keys(most)}`,
      against: `${SCRAPE_MS} ms`,
      asked,
      measured: of(worker.scrape, SCRAPE_MS),
    },
    {
      what: `99th percentile of the event loop's delay, ${keys(most)}`,
      against: `${LATE_MS} ms`,
      asked,
      measured: of(worker.lateP99, LATE_MS),
    },
    {
      what: `the longest delay of it, ${keys(most)}`,
      against: `${LATE_MS} ms`,
      measured: of(worker.lateMax, LATE_MS),
    },
  ];
}

/** The modules that a command loads, in order, the command's own start excepted. */
async function modulesOf(words: string[], world: IdleWorld): Promise<string[]> {
  const list = join(world.folder, "modules");
  const recorder = join(world.folder, "recorder.mjs");
  await writeFile(
    recorder,
    `import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";
registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    appendFileSync(${JSON.stringify(list)}, found.url + "\\n");
    return found;
  },
});
`,
  );
  await timeProcess(["--import", pathToFileURL(recorder).href, CLI, ...words], world.env);
  const urls = (await readFile(list, "utf8")).trim().split("\n");
  return [...new Set(urls)].filter((url) => url !== pathToFileURL(CLI).href);
}

const PARSE_ALL = `
import { readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { parseEvents } from ${JSON.stringify(import.meta.resolve("js-yaml"))};
const rows = new DatabaseSync(new URL("journal.db", import.meta.url).pathname).prepare("SELECT document FROM targets");
let read = 0;
for (const { document } of rows.iterate()) if (JSON.parse(document.slice(document.indexOf("{"))).version === 1) read += 1;
const events = parseEvents(readFileSync(new URL("rotation.yaml", import.meta.url), "utf8"), {});
if (read === 0 || events.length === 0) throw new Error("there is nothing to parse");
`;

/** A program that loads these modules as the command does, and then does what `body` says. */
async function script(world: IdleWorld, name: string, modules: string[], body: string): Promise<string> {
  const file = join(world.folder, name);
  const cache = join(CLI, "../.cache");
  await writeFile(
    `${file.replace(/\.mjs$/, "")}-body.mjs`,
    `${modules.map((url) => `import ${JSON.stringify(url)};\n`).join("")}${body}`,
  );
  await writeFile(
    file,
    `process.getBuiltinModule("node:module").enableCompileCache(${JSON.stringify(cache)});
import(${JSON.stringify(`./${name.replace(/\.mjs$/, "")}-body.mjs`)});
`,
  );
  return file;
}
