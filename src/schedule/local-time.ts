/** Local time as milliseconds: what a wall clock shows, read as if it stood in UTC. */
export type WallTime = number;

const DAY_MS = 86_400_000;
const LONGEST_OFFSET_MS = DAY_MS;
const formats = new Map<string, Intl.DateTimeFormat>();

/** Of zones, by day: how far the wall's clock is ahead of UTC as the day begins there. To ask costs much more than to remember. */
const offsets = new Map<string, Map<number, number>>();
/** Of so many days of a zone it is remembered: some decades. */
const MOST_DAYS = 20_000;

/** What the clock on the wall shows in a zone at an instant (epoch milliseconds). */
export function wallTime(instant: number, timezone: string): WallTime {
  const offset = steadyOffset(instant, instant, timezone);
  return offset === undefined ? shownBy(instant, timezone) : instant + offset;
}

/** The offset from UTC from `from` to `to`, where it is the same all the time; undefined where it changes in those days. */
function steadyOffset(from: number, to: number, timezone: string): number | undefined {
  const first = Math.floor(from / DAY_MS);
  const last = Math.floor(to / DAY_MS) + 1;
  const offset = offsetOf(first, timezone);
  for (let day = first + 1; day <= last; day++) if (offsetOf(day, timezone) !== offset) return undefined;
  return offset;
}

function offsetOf(day: number, timezone: string): number {
  const known = offsets.get(timezone) ?? new Map<number, number>();
  offsets.set(timezone, known);
  const kept = known.get(day);
  if (kept !== undefined) return kept;
  if (known.size >= MOST_DAYS) known.clear();
  const offset = shownBy(day * DAY_MS, timezone) - day * DAY_MS;
  known.set(day, offset);
  return offset;
}

function shownBy(instant: number, timezone: string): WallTime {
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
  let [before, after] = [wall - LONGEST_OFFSET_MS, wall + LONGEST_OFFSET_MS];
  const steady = steadyOffset(before, after, timezone);
  if (steady !== undefined) return wall - steady;
  const shown = (instant: number) => wallTime(instant, timezone);
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
