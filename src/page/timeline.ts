import { type Html, html } from "./html.ts";
import type { LiveKey } from "./live.ts";
import { keyLink } from "./parts.ts";
import { when } from "./time.ts";

const DAY = 86_400_000;
const DAYS = 30;
/** Dots of one day that are drawn; more become a figure. */
const MOST_DOTS = 4;
const LISTED = 8;
const DOT = 12;

interface Due {
  key: string;
  at: number;
  why: string;
}

/** What is due within thirty days, drawn by day and the first of it in words. */
export function timeline(keys: readonly LiveKey[], now: number): Html {
  const due = dueSoon(keys, now);
  const listed = due.slice(0, LISTED);
  const rest = due.length - listed.length;
  return html`<section id="timeline" aria-labelledby="timeline-title"><h2 id="timeline-title">Next ${DAYS} days</h2>
${due.length === 0 ? html`<p class="quiet">Nothing is due.</p>` : html`${drawing(due, now)}<ol class="due">${listed.map((one) => html`<li>${keyLink(one.key, "due")} <span>${when(one.at, now)}</span> ${one.why !== "schedule" && html`<span class="quiet">${one.why}</span>`}</li>`)}</ol>`}
${rest > 0 && html`<p class="quiet">and ${rest} more</p>`}</section>`;
}

function dueSoon(keys: readonly LiveKey[], now: number): Due[] {
  return keys
    .flatMap(({ key, next, rotation }): Due[] =>
      next && !rotation && next.at < now + DAYS * DAY
        ? [{ key, at: Math.max(next.at, now), why: next.why }]
        : [],
    )
    .sort((a, b) => a.at - b.at);
}

function drawing(due: readonly Due[], now: number): Html {
  const midnight = now - (now % DAY);
  const x = (at: number) => `${(((at - midnight) / ((DAYS + 1) * DAY)) * 100).toFixed(2)}%`;
  const days = new Map<number, number>();
  for (const { at } of due) {
    const day = Math.floor((at - midnight) / DAY);
    days.set(day, (days.get(day) ?? 0) + 1);
  }
  // As high as its highest day, with a line for the figure where dots do not suffice.
  const most = Math.max(...days.values());
  const base = DOT * Math.min(most, MOST_DOTS + 1) + 10;
  const dots = [...days].map(([day, count]) => {
    const middle = x(midnight + (day + 0.5) * DAY);
    const drawn = Array.from(
      { length: Math.min(count, MOST_DOTS) },
      (_, n) => html`<circle cx="${middle}" cy="${base - 10 - n * DOT}" r="4.5"/>`,
    );
    const figure =
      count > MOST_DOTS &&
      html`<text class="count" x="${middle}" y="${base - 10 - MOST_DOTS * DOT + 4}" text-anchor="middle">${count}</text>`;
    return html`${drawn}${figure}`;
  });
  const ticks = Array.from({ length: DAYS + 1 }, (_, day) => {
    const at = midnight + day * DAY;
    const week = day % 7 === 0;
    return html`<line class="${week ? "week" : "day"}" x1="${x(at)}" x2="${x(at)}" y1="${base}" y2="${base + (week ? 8 : 4)}"/>${week && html`<text x="${x(at)}" y="${base + 24}" text-anchor="${day === 0 ? "start" : "middle"}">${dayName(at)}</text>`}`;
  });
  return html`<svg class="timeline" width="100%" height="${base + 30}" role="img" aria-label="${due.length} rotations in the next ${DAYS} days; the list tells the first of them"><line class="axis" x1="0" x2="100%" y1="${base}" y2="${base}"/>${ticks}<line class="now" x1="${x(now)}" x2="${x(now)}" y1="0" y2="${base}"/>${dots}</svg>`;
}

function dayName(at: number): string {
  return new Date(at).toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}
