import { copyFile, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build } from "rolldown";
import published from "../../rolldown.config.ts";
import { type AwsWorld, awsWorld } from "./aws-world.ts";
import { CLI, ratios, sideBySide, timeProcess } from "./measure.ts";
import type { Row } from "./report.ts";
import { scratchFolder } from "./scratch.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Loading them is running them. */
const ENTRIES = ["cli.js", "consumer.js", "container.js"];

/** A command without one of the steps that make it start fast. */
interface Undone {
  what: string;
  /** Before the words of the command. */
  argv: string[];
  env?: NodeJS.ProcessEnv;
}

/**
 * What each step to a fast start gains: whole commands with nothing to do, with one step undone and
 * all others kept, beside the command as it is published.
 */
export async function startSteps(runs: number): Promise<Row[]> {
  await using scratch = await scratchFolder("start-steps");
  const steps: Undone[] = [
    { what: "each module and package in files of its own", argv: [await builtApart(scratch.path)] },
    { what: "everything loaded at the start", argv: await preloading() },
    { what: "no compile cache", argv: [CLI], env: { NODE_DISABLE_COMPILE_CACHE: "1" } },
    { what: "Node's own modules by `import`", argv: [await builtWithImports(scratch.path)] },
  ];
  await using world = await awsWorld("steps", 0);
  await timeProcess([CLI, "now", "--policy", world.policy], world.env);
  return [
    ...(await rowsOf("`rotate validate`", ["validate"], steps, world, runs)),
    ...(await rowsOf("`rotate once`, nothing due", ["once"], steps, world, runs)),
  ];
}

async function rowsOf(
  command: string,
  words: string[],
  steps: readonly Undone[],
  { policy, env }: AwsWorld,
  runs: number,
): Promise<Row[]> {
  const all: Undone[] = [{ what: "as published", argv: [CLI] }, ...steps];
  const [ours = [], ...theirs] = await sideBySide(
    all.map(
      (step) => () => timeProcess([...step.argv, ...words, "--policy", policy], { ...env, ...step.env }),
    ),
    runs,
  );
  return steps.map(({ what }, index) => ({
    what: `${command}: ${what}`,
    against: "as published",
    measured: ratios(theirs[index] ?? [], ours),
  }));
}

/** The command built without bundling, its packages where they are installed. */
function builtApart(folder: string): Promise<string> {
  const packages = /^(?!\.|\/|node:)/;
  return built(folder, "apart", { external: packages, output: { preserveModules: true } });
}

/** The command built with imports of Node's modules as they were written. */
function builtWithImports(folder: string): Promise<string> {
  return built(folder, "imports", { plugins: [] });
}

/** Builds the command otherwise than it is published, within a package as it is; the path of its entry. */
async function built(folder: string, name: string, { output, ...other }: BuildOptions): Promise<string> {
  const dir = join(folder, name, "dist");
  const { input: _, ...config } = published as BuildOptions;
  await build({
    ...config,
    ...other,
    input: { cli: join(ROOT, "src/cli.ts") },
    logLevel: "silent",
    output: { ...config.output, ...output, dir },
  });
  await copyFile(join(ROOT, "package.json"), join(folder, name, "package.json"));
  const [entry] = (await readdir(dir, { recursive: true })).filter((file) => /(^|\/)cli\.js$/.test(file));
  return join(dir, entry as string);
}

/** Options that load every piece of the build before the command begins. */
async function preloading(): Promise<string[]> {
  const dist = dirname(CLI);
  const pieces = (await readdir(dist)).filter((file) => file.endsWith(".js") && !ENTRIES.includes(file));
  const imports = pieces.map((file) => `import ${JSON.stringify(pathToFileURL(join(dist, file)).href)};`);
  return ["--import", `data:text/javascript,${encodeURIComponent(imports.join(""))}`, CLI];
}
