import { Cron } from "croner";

/** How many runs, and how many days, are looked at to learn how far apart they lie. */
const RUNS = 400;
const HORIZON_MS = 5 * 366 * 86_400_000;

/**
 * The first instant after `after` (both epoch milliseconds) that a cron expression of five fields
 * names in a time zone; undefined when there is none. A time that a clock change skips runs at the
 * first one after the gap, a time that comes twice runs once. The expression must be valid.
 */
export function nextCron(expression: string, timezone: string, after: number): number | undefined {
  return cron(expression, timezone).nextRun(new Date(after))?.getTime();
}

export interface CronGaps {
  /** Milliseconds from one run to the next. */
  shortest: number;
  longest: number;
  /** The one that comes most often: a clock change does not alter it. */
  usual: number;
}

/** How far apart the runs from `from` on lie; undefined when fewer than two come. */
export function cronGaps(expression: string, timezone: string, from: number): CronGaps | undefined {
  const job = cron(expression, timezone);
  const counts = new Map<number, number>();
  let previous = job.nextRun(new Date(from))?.getTime();
  for (let run = 0; run < RUNS && previous !== undefined && previous - from < HORIZON_MS; run++) {
    const next = job.nextRun(new Date(previous))?.getTime();
    if (next === undefined) break;
    counts.set(next - previous, (counts.get(next - previous) ?? 0) + 1);
    previous = next;
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (!most) return undefined;
  return { shortest: Math.min(...counts.keys()), longest: Math.max(...counts.keys()), usual: most[0] };
}

/** The shortest time between runs from `from` on, in milliseconds; undefined when fewer than two come. */
export function cronPeriod(expression: string, timezone: string, from: number): number | undefined {
  return cronGaps(expression, timezone, from)?.shortest;
}

function cron(expression: string, timezone: string): Cron {
  return new Cron(expression, { timezone, mode: "5-part" });
}
