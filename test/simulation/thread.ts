import { parentPort } from "node:worker_threads";
import { runSeed } from "./seed.ts";

/** Runs the seeds that it is told, one after the other. */
parentPort?.on("message", async (asked: { seed: number; days: number; once: boolean }) => {
  parentPort?.postMessage(await runSeed(asked.seed, asked.days, asked.once));
});
