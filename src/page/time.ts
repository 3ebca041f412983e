import { formatDuration } from "../policy/duration.ts";
import { type Html, html } from "./html.ts";

const MINUTE = 60_000;

/** `14 Jul 2026, 10:00 UTC`, with seconds where they matter. */
export function instant(ms: number, precision: "minutes" | "seconds" = "minutes"): string {
  const [date = "", time = ""] = isoOf(ms).split("T");
  const [year, month = 1, day] = date.split("-").map(Number);
  const digits = precision === "minutes" ? 5 : 8;
  return `${day} ${MONTHS[month - 1]} ${year}, ${time.slice(0, digits)} UTC`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `in 3d 4h`, `2h ago`, `now`; the script keeps it true. */
export function relative(ms: number, now: number): Html {
  return html`<time datetime="${isoOf(ms)}" title="${instant(ms, "seconds")}" data-at="${ms}">${distance(ms, now)}</time>`;
}

/** Both: `in 3d 4h` and the instant behind it. */
export function when(ms: number, now: number): Html {
  return html`${relative(ms, now)} <span class="quiet">${instant(ms)}</span>`;
}

/** `until 14 Jul 2026, 10:00 UTC (in 3d 4h)`. */
export function until(ms: number, now: number): Html {
  return html`until ${instant(ms)} (${relative(ms, now)})`;
}

/** Coarser than a second where seconds tell nothing. */
export function distance(ms: number, now: number): string {
  const span = Math.abs(ms - now);
  if (span < 1_000) return "now";
  return ms > now ? `in ${age(span)}` : `${age(span)} ago`;
}

/** `12d 4h`; below an hour also seconds. */
export function age(ms: number): string {
  return formatDuration(ms >= 60 * MINUTE ? Math.floor(ms / MINUTE) * MINUTE : Math.max(ms, 1_000));
}

/** What no Date can hold comes from a damaged journal, and must not keep the page from being shown. */
function isoOf(ms: number): string {
  return new Date(Math.min(Math.max(ms || 0, 0), 8.64e15)).toISOString();
}
