import { formatDuration } from "../../policy/duration.ts";

/** Epoch milliseconds as `2026-07-14T10:00:00Z`. */
export function instant(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** `in 3d 4h`, `2h ago`, `now`. */
export function relative(ms: number, now: number): string {
  const distance = Math.abs(ms - now);
  if (distance < 1_000) return "now";
  return ms > now ? `in ${formatDuration(distance)}` : `${formatDuration(distance)} ago`;
}

/** Both: `in 3d 4h (2026-07-14T10:00:00Z)`. */
export function when(ms: number, now: number): string {
  return `${relative(ms, now)} (${instant(ms)})`;
}
