/**
 * Preloaded with `--import` into a worker that is measured: from SIGUSR2 on it records how late the
 * event loop comes to a timer, and writes it, in milliseconds, to the file that LOOP_DELAY names when it ends.
 */
import { writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const RESOLUTION_MS = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
process.on("SIGUSR2", () => delay.enable());
process.once("exit", () => {
  // What is recorded is the time between two firings of the timer.
  const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  writeFileSync(
    process.env.LOOP_DELAY ?? "",
    JSON.stringify({ p99: late(delay.percentile(99)), max: late(delay.max) }),
  );
});
