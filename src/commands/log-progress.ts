import type { Logger } from "pino";
import type { Progress } from "../rotation/report.ts";

/** Waits as log lines, each once, however often it is looked at. What is done, held or fails the engine logs itself. */
export function logProgress(log: Logger): (progress: Progress) => void {
  const lastWait = new Map<string, string>();
  return (progress) => {
    if (progress.type === "phase") lastWait.delete(progress.key);
    if (progress.type !== "waiting") return;
    const { key, rotation, phase, reason, until, why } = progress;
    if (lastWait.get(key) === why) return;
    lastWait.set(key, why);
    log.info({ key, rotation, phase, reason, until: until && new Date(until).toISOString() }, why);
  };
}
