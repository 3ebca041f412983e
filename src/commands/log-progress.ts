import type { Logger } from "pino";
import type { Progress } from "../rotation/report.ts";

/** Waits and sweeps as log lines: a wait once, sweeps at the debug level. What is done, held or fails the engine logs itself. */
export function logProgress(log: Logger): (progress: Progress) => void {
  const lastWait = new Map<string, string>();
  return (progress) => {
    const { key, rotation } = progress;
    switch (progress.type) {
      case "phase":
        lastWait.delete(key);
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
    }
  };
}
