import type { EventRecord } from "../journal/document.ts";
import { type Html, html } from "./html.ts";
import { instant, relative } from "./time.ts";

/** Events that one page shows, and pages that can be asked for: what is older, `rotate history` tells. */
export const EVENTS_A_PAGE = 50;
export const MOST_PAGES = 20;

export interface EventPage {
  key: string;
  /** Newest first. */
  events: readonly EventRecord[];
  page: number;
  /** Whether there are older ones. */
  more: boolean;
}

/** The event log of a key, a page of it. */
export function eventLog({ key, events, page, more }: EventPage, now: number): Html {
  return html`<section id="events" aria-labelledby="events-title"><h2 id="events-title">Event log</h2>
${
  events.length === 0
    ? html`<p class="quiet">Nothing has happened yet.</p>`
    : html`<table role="table"><caption>Newest first</caption><thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">When</th><th role="columnheader" scope="col">What</th><th role="columnheader" scope="col">Who and why</th></tr></thead>
<tbody role="rowgroup">${events.map((event) => row(event, now))}</tbody></table>`
}
${pager(key, page, more)}</section>`;
}

function row({ seq, at, kind, actor, message, rotation }: EventRecord, now: number): Html {
  return html`<tr role="row" id="event-${seq}"><td role="cell">${relative(at, now)} <span class="quiet">${instant(at, "seconds")}</span></td><td role="cell" class="kind">${kind}</td><td role="cell" class="text">${message} <span class="quiet">${actor}${rotation !== undefined && ` · ${rotation}`}</span></td></tr>`;
}

function pager(key: string, page: number, more: boolean): Html {
  const to = (number: number, text: string, id: string) =>
    html`<a id="${id}" rel="${id}" href="/keys/${key}${number > 1 && `?page=${number}`}">${text}</a>`;
  const last = page >= MOST_PAGES;
  return html`<nav class="pager" aria-label="Pages of the event log">${page > 1 && to(page - 1, "← Newer", "prev")}${(page > 1 || more) && html`<span>Page ${page}</span>`}${more && !last && to(page + 1, "Older →", "next")}</nav>${more && last && html`<p class="quiet">What is older: <code>rotate history ${key}</code></p>`}`;
}
