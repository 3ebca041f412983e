import { type Html, html } from "./html.ts";
import type { LiveKey } from "./live.ts";
import { age, distance } from "./time.ts";

/** How old the current key is against its schedule, drawn and in words. */
export function ageBar({ current, next }: LiveKey, now: number): Html {
  if (current === undefined) return html`<span class="quiet">no key yet</span>`;
  const born = current.createdAt ?? current.since;
  const due = next?.at;
  const { expiresAt } = current;
  const end = Math.max(now, due ?? 0, expiresAt ?? 0);
  const at = (instant: number) => percent((instant - born) / (end - born));
  const late = due !== undefined && now > due;
  const words = [
    `${age(Math.max(0, now - born))} old`,
    due === undefined ? "no date" : `due ${distance(due, now)}`,
    ...(expiresAt === undefined ? [] : [`expires ${distance(expiresAt, now)}`]),
  ];
  const drawn = due !== undefined || expiresAt !== undefined;
  return html`${drawn && html`<svg class="bar" width="100%" height="12" aria-hidden="true" focusable="false"><rect class="track" y="3" width="100%" height="6" rx="3"/><rect class="${late ? "fill late" : "fill"}" y="3" width="${at(now)}" height="6" rx="3"/>${due !== undefined && html`<rect class="due" x="${at(due)}" width="2" height="12" transform="translate(-2 0)"/>`}${expiresAt !== undefined && html`<rect class="expiry" x="${at(expiresAt)}" width="3" height="12" transform="translate(-3 0)"/>`}</svg>`}<span class="words">${words.join(" · ")}</span>`;
}

function percent(fraction: number): string {
  return `${(Math.min(Math.max(fraction || 0, 0), 1) * 100).toFixed(2)}%`;
}
