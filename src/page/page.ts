import { asRotationError } from "../lib/errors.ts";
import type { Answer } from "../telemetry/answer.ts";
import type { StatusPage } from "../telemetry/server.ts";
import { card } from "./card.ts";
import { EVENTS_A_PAGE, eventLog, MOST_PAGES } from "./events.ts";
import { headline, verdictOf } from "./headline.ts";
import { type Content, html } from "./html.ts";
import { CONTENT_SECURITY, layout } from "./layout.ts";
import { type LiveParts, LiveView, type Snapshot } from "./live.ts";
import { notice } from "./parts.ts";
import { keyTable } from "./table.ts";
import { timeline } from "./timeline.ts";
import { filterOf, overviewOf } from "./view.ts";

export interface PageParts extends LiveParts {
  installation: string;
}

/** The status page, and where it is told what passes of this process do. */
export interface LivePage extends StatusPage {
  onProgress: LiveView["onProgress"];
}

/** Renders the journal as it is, and never changes it. Reads nothing else. */
export function createPage(parts: PageParts): LivePage {
  const live = new LiveView(parts);
  const { installation, engine } = parts;

  const answer = (
    snapshot: Snapshot,
    title: string,
    main: Content,
    more: { status?: number; key?: string } = {},
  ) => {
    const { version, at: now } = snapshot;
    const { status = snapshot.error ? 503 : 200, key } = more;
    const body = layout({ title, installation, main, version, now, ...(key === undefined ? {} : { key }) });
    return { status, contentType: "text/html; charset=utf-8", body, contentSecurity: CONTENT_SECURITY };
  };

  async function overview(query: URLSearchParams): Promise<Answer> {
    const snapshot = await live.snapshot();
    const { at } = snapshot;
    const { text } = verdictOf(snapshot);
    if (snapshot.error) return answer(snapshot, text, headline(snapshot));
    const view = overviewOf(snapshot, filterOf(query));
    const cards =
      view.cards.length > 0 &&
      html`<section id="cards" aria-labelledby="cards-title"><h2 id="cards-title" class="unseen">Keys that need a person, and rotations in flight</h2>${view.cards.map((key) => card(key, at))}${view.moreCards > 0 && html`<p class="quiet">and ${view.moreCards} more in the list below</p>`}</section>`;
    return answer(
      snapshot,
      text,
      html`${headline(snapshot)}${cards}${timeline(snapshot.keys, at)}${keyTable(view, at)}`,
    );
  }

  async function oneKey(name: string, query: URLSearchParams): Promise<Answer> {
    const snapshot = await live.snapshot();
    if (snapshot.error) return answer(snapshot, verdictOf(snapshot).text, headline(snapshot));
    const key = snapshot.keys.find((one) => one.key === name);
    if (key === undefined) {
      const main = html`<section class="panel"><h1>No such key</h1><p>The policy has no key of this name. <a id="back" href="/">All keys</a></p></section>`;
      return answer(snapshot, "No such key", main, { status: 404 });
    }
    const asked = Number(query.get("page"));
    const page = Number.isInteger(asked) ? Math.min(Math.max(asked, 1), MOST_PAGES) : 1;
    const shown = html`<nav aria-label="Where you are"><a id="back" href="/">← All keys</a></nav>${card(key, snapshot.at, html`<h1>${name}</h1>`)}`;
    return answer(
      snapshot,
      `${name}: ${key.state}`,
      html`${shown}${await log(key.target, name, page, snapshot.at)}`,
      {
        key: name,
      },
    );
  }

  async function log(target: string, key: string, page: number, now: number): Promise<Content> {
    try {
      const newest = await engine.history({ target, key, limit: page * EVENTS_A_PAGE + 1 });
      const events = newest.toReversed().slice((page - 1) * EVENTS_A_PAGE);
      const more = events.length > EVENTS_A_PAGE;
      return eventLog({ key, events: events.slice(0, EVENTS_A_PAGE), page, more }, now);
    } catch (thrown) {
      const { message, hint } = asRotationError(thrown);
      return html`<section id="events">${notice("bad", "The event log cannot be read.", message, hint)}</section>`;
    }
  }

  return {
    async show(path, query) {
      if (path === "/") return await overview(query);
      const [, name] = /^\/keys\/([a-z0-9][a-z0-9-]{0,62})$/.exec(path) ?? [];
      return name === undefined ? undefined : await oneKey(name, query);
    },
    watch: (listener) => live.watch(listener),
    get version() {
      return live.version;
    },
    onProgress: (progress) => live.onProgress(progress),
  };
}
