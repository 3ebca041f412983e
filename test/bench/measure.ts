import { spawn } from "node:child_process";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** The command as it is published; `npm run build` makes it. */
export const CLI = join(import.meta.dirname, "../../dist/cli.js");

/** Medians and quartiles of several runs, in the unit of the runs. */
export interface Spread {
  median: number;
  low: number;
  high: number;
}

/** Between two runs the figure is interpolated; of no run at all it is NaN. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => {
    const place = (sorted.length - 1) * part;
    const [below = Number.NaN, above = below] = sorted.slice(Math.floor(place), Math.floor(place) + 2);
    return below + (above - below) * (place % 1);
  };
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** Ratios of runs made side by side: each of `values` by its neighbour in `base`. */
export function ratios(values: readonly number[], base: readonly number[]): Spread {
  return spread(values.map((value, index) => value / (base[index] ?? Number.NaN)));
}

/**
 * Wall time of a whole process in milliseconds, from its start to its end. Throws, with what it
 * said, when it ends with another status than 0.
 */
export async function timeProcess(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const started = performance.now();
  const child = spawn(process.execPath, argv, { env, stdio: ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
  const status = await new Promise((resolve, reject) => {
    child.once("error", reject).once("close", (code, signal) => resolve(code ?? signal));
  });
  const took = performance.now() - started;
  if (status !== 0) throw new Error(`${argv.join(" ")} ended with ${status}:\n${Buffer.concat(said)}`);
  return took;
}

/** Runs the contenders in turn, `runs` times after one round that does not count, so that what slows the machine slows them all. */
export async function sideBySide(
  contenders: readonly (() => Promise<number>)[],
  runs: number,
): Promise<number[][]> {
  const times: number[][] = contenders.map(() => []);
  for (let run = -1; run < runs; run += 1)
    for (const [index, contender] of contenders.entries()) {
      const took = await contender();
      if (run >= 0) times[index]?.push(took);
    }
  return times;
}
