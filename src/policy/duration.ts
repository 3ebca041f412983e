const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest duration that a policy may give: a hundred years, far inside what a Date can hold. */
export const LONGEST_DURATION = 36_525 * UNITS.d;

/** `500ms`, `90s`, `15m`, `24h` or `30d` in milliseconds; NaN for anything else. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!match) return Number.NaN;
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}

/** Milliseconds in the largest unit or two that say it well: `1h 30m`, `45s`, `250ms`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const unit of ["d", "h", "m", "s"] as const) {
    const count = Math.floor(rest / UNITS[unit]);
    if (count === 0 && parts.length === 0) continue;
    rest -= count * UNITS[unit];
    if (count > 0) parts.push(`${count}${unit}`);
    if (parts.length === 2 || rest === 0) break;
  }
  return parts.join(" ");
}
