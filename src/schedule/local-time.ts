/** Local time as milliseconds: what a wall clock shows, read as if it stood in UTC. */
export type WallTime = number;

const LONGEST_OFFSET_MS = 24 * 3_600_000;
const formats = new Map<string, Intl.DateTimeFormat>();

/** What the clock on the wall shows in a zone at an instant (epoch milliseconds). */
export function wallTime(instant: number, timezone: string): WallTime {
  const parts: Record<string, number> = {};
  for (const { type, value } of format(timezone).formatToParts(instant)) parts[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  const wall = new Date(0);
  wall.setUTCFullYear(year, month - 1, day);
  wall.setUTCHours(hour, minute, second, instant - Math.floor(instant / 1000) * 1000);
  return wall.getTime();
}

/**
 * The instant at which the clock on the wall first shows a time; where a change of the clocks skips
 * it, the instant of that change. Epoch milliseconds.
 */
export function firstInstantOf(wall: WallTime, timezone: string): number {
  const shown = (instant: number) => wallTime(instant, timezone);
  let [before, after] = [wall - LONGEST_OFFSET_MS, wall + LONGEST_OFFSET_MS];
  const offsets = [shown(before) - before, shown(after) - after];
  const found = offsets
    .map((offset) => wall - offset)
    .filter((instant) => shown(instant) === wall)
    .sort((a, b) => a - b)[0];
  if (found !== undefined) return found;
  // Skipped: earlier times are shown before the change, and later ones from it on.
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (shown(middle) < wall) before = middle;
    else after = middle;
  }
  return after;
}

function format(timezone: string): Intl.DateTimeFormat {
  const kept = formats.get(timezone);
  if (kept) return kept;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timezone, made);
  return made;
}
