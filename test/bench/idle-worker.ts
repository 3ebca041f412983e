import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import type { IdleWorld } from "./idle-world.ts";
import { CLI } from "./measure.ts";

/** Of each worker, in milliseconds. */
export interface WorkerFigures {
  /** The status page, first and a moment later. */
  cold: number[];
  warm: number[];
  scrape: number[];
  /** How late the event loop came to a timer from the first pass on: the 99th percentile, and the worst. */
  lateP99: number[];
  lateMax: number[];
}

/** More than two passes, with the page and the metrics asked for in between. */
const WATCHED_MS = 35_000;
const PATIENCE_MS = 120_000;
const RECORDER = pathToFileURL(join(import.meta.dirname, "loop-delay.ts")).href;

/** Starts so many workers, one after the other, and watches each for half a minute. */
export async function idleWorker(world: IdleWorld, workers: number): Promise<WorkerFigures> {
  const figures: WorkerFigures = { cold: [], warm: [], scrape: [], lateP99: [], lateMax: [] };
  for (let worker = 0; worker < workers; worker += 1) await watchOne(world, figures);
  return figures;
}

async function watchOne({ policy, folder, env }: IdleWorld, figures: WorkerFigures): Promise<void> {
  const file = join(folder, "loop-delay.json");
  const argv = ["--import", RECORDER, CLI, "worker", "--policy", policy];
  const child = spawn(process.execPath, argv, {
    env: { ...env, LOOP_DELAY: file },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(child, "close");
  try {
    const url = await addressOf(child.stderr);
    await untilReady(url);
    const began = performance.now();
    child.kill("SIGUSR2");
    figures.cold.push(await timeOf(`${url}/`));
    figures.warm.push(await timeOf(`${url}/`));
    figures.scrape.push(await timeOf(`${url}/metrics`));
    await sleep(WATCHED_MS - (performance.now() - began));
  } finally {
    child.kill("SIGTERM");
    await ended;
  }
  const { p99, max } = JSON.parse(await readFile(file, "utf8")) as { p99: number; max: number };
  figures.lateP99.push(p99);
  figures.lateMax.push(max);
}

/** Where the worker says that it serves. */
async function addressOf(stderr: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface({ input: stderr });
  for await (const line of lines) {
    const { port } = JSON.parse(line) as { port?: number };
    if (port === undefined) continue;
    // What is said later is not read, and must not fill the pipe.
    stderr.resume();
    return `http://127.0.0.1:${port}`;
  }
  throw new Error("the worker ended before it served");
}

async function untilReady(url: string): Promise<void> {
  for (const began = performance.now(); performance.now() - began < PATIENCE_MS; await sleep(50)) {
    const answer = await fetch(`${url}/readyz`);
    await answer.arrayBuffer();
    if (answer.ok) return;
  }
  throw new Error("the worker is not ready after two minutes");
}

async function timeOf(url: string): Promise<number> {
  const began = performance.now();
  const answer = await fetch(url);
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
  return performance.now() - began;
}
