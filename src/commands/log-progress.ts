import type { Logger } from "pino";
import type { Progress } from "../rotation/report.ts";

/** Progress as log lines: one a phase, one a wait; sweeps at the debug level. */
export function logProgress(log: Logger): (progress: Progress) => void {
  const lastWait = new Map<string, string>();
  return (progress) => {
    const { key, rotation } = progress;
    switch (progress.type) {
      case "phase":
        lastWait.delete(key);
        log.info({ key, rotation, phase: progress.phase }, progress.message);
        break;
      case "consumers":
        log.debug({ key, rotation, consumers: progress.consumers }, "swept the consumers");
        break;
      case "waiting":
        // A wait is reported at every look; people want to read it once.
        if (lastWait.get(key) === progress.why) break;
        lastWait.set(key, progress.why);
        log.info(
          { key, rotation, until: progress.until && new Date(progress.until).toISOString() },
          progress.why,
        );
        break;
      case "held":
        log.warn({ key, rotation, reason: progress.reason }, `held: ${progress.message}`);
        break;
      case "note":
        log[progress.level]({ key, rotation, hint: progress.hint }, progress.message);
    }
  };
}
