import { parentPort } from "node:worker_threads";
import { runSeed } from "./seed.ts";

/** Runs the seeds that it is told, one after the other. */
parentPort?.on("message", async ({ seed, days }: { seed: number; days: number }) => {
  parentPort?.postMessage(await runSeed(seed, days));
});
