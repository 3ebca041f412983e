/**
 * Preloaded with `--import` into the process that is measured: what only the process itself can
 * tell is written to the file that OWN_FIGURES names, when it ends.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

export interface Own {
  /** The most memory that was resident, in bytes. */
  peakRss: number;
  /** Time on the processor, of all its threads, in milliseconds. */
  cpuMs: number;
  /** How late the event loop came to a timer, in milliseconds: the 99th percentile, and the worst. */
  delayP99Ms: number;
  delayMaxMs: number;
}

const RESOLUTION_MS = 5;
const file = process.env.OWN_FIGURES;
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  process.once("exit", () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    // What is recorded is the time between two firings of the timer.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
    const own: Own = {
      peakRss: peakRss(),
      cpuMs: (userCPUTime + systemCPUTime) / 1000,
      delayP99Ms: late(delay.percentile(99)),
      delayMaxMs: late(delay.max),
    };
    writeFileSync(file, JSON.stringify(own));
  });
}

/** On Linux the maximum that `resourceUsage` tells begins with that of the process that started this one. */
function peakRss(): number {
  const status = "/proc/self/status";
  const told = existsSync(status)
    ? /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8"))?.[1]
    : undefined;
  return (told === undefined ? process.resourceUsage().maxRSS : Number(told)) * 1024;
}
