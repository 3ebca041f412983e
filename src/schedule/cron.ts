import { Cron } from "croner";
import { firstInstantOf, wallTime } from "./local-time.ts";
import { plainCron, plainTimes } from "./plain-cron.ts";

/**
 * How many runs, and how long, are looked at to learn how far apart they lie: a year and a month, in
 * which every month and both changes of the clocks come, or longer for the few gaps of what is rarer.
 */
const RUNS = 400;
const FEW_GAPS = 3;
const LONG_ENOUGH_MS = 400 * 86_400_000;
const HORIZON_MS = 5 * 366 * 86_400_000;

/**
 * The first instant after `after` (both epoch milliseconds) that a cron expression of five fields
 * names in a time zone; undefined when there is none. The expression must be valid. Where its hours
 * are named, a time that a clock change skips runs right after the gap, and one that comes twice
 * runs once; where they are not (`*`), it follows real time.
 */
export function nextCron(expression: string, timezone: string, after: number): number | undefined {
  return nextOf(expression, timezone)(after);
}

/** {@link nextCron} for one instant after the other: to read the expression costs more than to answer. */
function nextOf(expression: string, timezone: string): (after: number) => number | undefined {
  if (expression.trim().split(/\s+/)[1]?.startsWith("*")) {
    const real = cron(expression, timezone);
    return (after) => real.nextRun(new Date(after))?.getTime();
  }
  const wall = cron(expression, "Etc/UTC");
  return (after) => {
    for (let at = wall.nextRun(new Date(wallTime(after, timezone))); at; at = wall.nextRun(at)) {
      const instant = firstInstantOf(at.getTime(), timezone);
      if (instant > after) return instant;
    }
    return undefined;
  };
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
  const counts = new Map<number, number>();
  let [run, previous] = [0, Number.NaN];
  for (const instant of runsAfter(expression, timezone, from)) {
    if (run > 0) counts.set(instant - previous, (counts.get(instant - previous) ?? 0) + 1);
    if (run >= RUNS || instant - from >= (run < FEW_GAPS ? HORIZON_MS : LONG_ENOUGH_MS)) break;
    [run, previous] = [run + 1, instant];
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a);
  if (!most) return undefined;
  return { shortest: Math.min(...counts.keys()), longest: Math.max(...counts.keys()), usual: most[0] };
}

/** The instants at which an expression runs after `from`, one after the other. */
function* runsAfter(expression: string, timezone: string, from: number): Generator<number> {
  const plain = plainCron(expression);
  if (plain === undefined) {
    const nextAfter = nextOf(expression, timezone);
    for (let at = nextAfter(from); at !== undefined; at = nextAfter(at)) yield at;
    return;
  }
  let latest = from;
  for (const wall of plainTimes(plain, wallTime(from, timezone))) {
    const instant = firstInstantOf(wall, timezone);
    if (instant <= latest) continue;
    yield instant;
    latest = instant;
  }
}

/** The shortest time between runs from `from` on, in milliseconds; undefined when fewer than two come. */
export function cronPeriod(expression: string, timezone: string, from: number): number | undefined {
  return cronGaps(expression, timezone, from)?.shortest;
}

function cron(expression: string, timezone: string): Cron {
  return new Cron(expression, { timezone, mode: "5-part" });
}
