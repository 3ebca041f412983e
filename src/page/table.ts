import type { KeyState } from "../rotation/report.ts";
import { ageBar } from "./age-bar.ts";
import { type Html, html } from "./html.ts";
import { badge, hash, keyLink } from "./parts.ts";
import { relative } from "./time.ts";
import { type Filter, hrefOf, type Overview, STATES } from "./view.ts";

/** Every key that is asked for, a page of them, with the means to ask for others. */
export function keyTable(view: Overview, now: number): Html {
  const { rows, first, matching } = view;
  const last = first + rows.length - 1;
  return html`<section id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2>
${filters(view)}
${
  rows.length === 0
    ? html`<p class="quiet">No key matches.</p>`
    : html`<table role="table"><caption>${matching === rows.length ? `${matching} ${matching === 1 ? "key" : "keys"}, those that need a person first` : `Keys ${first} to ${last} of ${matching}, those that need a person first`}</caption>
<thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Key</th><th role="columnheader" scope="col">State</th><th role="columnheader" scope="col">Age against schedule</th><th role="columnheader" scope="col">Next</th><th role="columnheader" scope="col">Current</th></tr></thead>
<tbody role="rowgroup">${rows.map(
        (key) =>
          html`<tr role="row" id="row-${key.key}" class="${key.state}"><th role="rowheader" scope="row">${keyLink(key.key, "k")}<span class="quiet">${key.provider}</span></th><td role="cell">${badge(key.state)}${key.rotation && html`<span class="quiet">${key.rotation.phase}</span>`}</td><td role="cell" class="age">${key.rotation ? html`<span class="words">rotation begun ${relative(key.rotation.startedAt, now)}</span>` : ageBar(key, now)}</td><td role="cell">${key.next && !key.rotation ? relative(key.next.at, now) : "–"}</td><td role="cell">${key.current ? html`${hash(key.current.hash)}` : "–"}</td></tr>`,
      )}</tbody></table>`
}
${pager(view)}</section>`;
}

const NAMES: Record<Filter["state"], string> = {
  all: "All",
  person: "Needs a person",
  ...(Object.fromEntries(STATES.map((state) => [state, state])) as Record<KeyState, KeyState>),
};

function filters({ filter, counts }: Overview): Html {
  const states = (["all", "person", ...STATES] as const).filter(
    (state) => state === "all" || state === filter.state || counts[state] > 0,
  );
  return html`<div class="filters"><nav aria-label="Filter by state"><ul>${states.map(
    (state) =>
      html`<li><a id="state-${state}" href="${hrefOf({ ...filter, state, page: 1 })}"${state === filter.state && html` aria-current="true"`}>${NAMES[state]} <span class="figure">${counts[state]}</span></a></li>`,
  )}</ul></nav>
<form method="get" action="/" role="search"><label for="q" class="unseen">Name of a key, provider or secret</label><input id="q" name="q" type="search" maxlength="100" placeholder="Name" value="${filter.q}">${filter.state !== "all" && html`<input type="hidden" name="state" value="${filter.state}">`}<button id="search">Search</button></form></div>`;
}

function pager({ filter, pages }: Overview): Html | undefined {
  if (pages === 1) return undefined;
  const to = (page: number, text: string, id: string) =>
    page >= 1 &&
    page <= pages &&
    html`<a id="${id}" rel="${id}" href="${hrefOf({ ...filter, page })}">${text}</a>`;
  return html`<nav class="pager" aria-label="Pages">${to(filter.page - 1, "← Previous", "prev")}<span>Page ${filter.page} of ${pages}</span>${to(filter.page + 1, "Next →", "next")}</nav>`;
}
