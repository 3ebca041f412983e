import type { Progress } from "../../rotation/report.ts";

/**
 * Progress as lines to read where no list can be drawn: seconds since `startedAt`, phase, message;
 * a wait once. Nothing for what is not worth a line.
 */
export function phaseLines(startedAt: number): (progress: Progress, now: number) => string | undefined {
  let wait = "";
  return (progress, now) => {
    const line = (word: string, text: string) =>
      `${((now - startedAt) / 1_000).toFixed(1).padStart(6)}s  ${word.padEnd(10)} ${text}`;
    switch (progress.type) {
      case "phase":
        wait = "";
        return line(progress.phase, progress.message);
      case "held":
        return line("held", progress.message);
      case "note":
        return progress.level === "info" ? undefined : line(progress.level, progress.message);
      case "waiting":
        if (progress.why === wait) return undefined;
        wait = progress.why;
        return line("waiting", progress.why);
      case "consumers":
        return undefined;
    }
  };
}
