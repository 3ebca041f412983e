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

/** The shortest and longest time between runs from `from` on, in milliseconds; undefined when fewer than two come. */
export function cronGaps(
  expression: string,
  timezone: string,
  from: number,
): { shortest: number; longest: number } | undefined {
  const job = cron(expression, timezone);
  let previous = job.nextRun(new Date(from))?.getTime();
  let [shortest, longest] = [Number.POSITIVE_INFINITY, 0];
  for (let run = 0; run < RUNS && previous !== undefined && previous - from < HORIZON_MS; run++) {
    const next = job.nextRun(new Date(previous))?.getTime();
    if (next === undefined) break;
    shortest = Math.min(shortest, next - previous);
    longest = Math.max(longest, next - previous);
    previous = next;
  }
  return longest === 0 ? undefined : { shortest, longest };
}

/** The shortest time between runs from `from` on, in milliseconds; undefined when fewer than two come. */
export function cronPeriod(expression: string, timezone: string, from: number): number | undefined {
  return cronGaps(expression, timezone, from)?.shortest;
}

function cron(expression: string, timezone: string): Cron {
  return new Cron(expression, { timezone, mode: "5-part" });
}
