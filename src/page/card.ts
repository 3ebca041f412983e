import type { ConsumerProgress } from "../rotation/report.ts";
import { describeUndecided } from "../rotation/undecided.ts";
import { ageBar } from "./age-bar.ts";
import { consumersOf } from "./consumers.ts";
import { type Content, type Html, html, withCode } from "./html.ts";
import type { LiveKey } from "./live.ts";
import { badge, hash, keyLink, notice, retiring } from "./parts.ts";
import { stepper } from "./stepper.ts";
import { relative, until, when } from "./time.ts";

/** All there is to say of one key. `title` is its heading. */
export function card(key: LiveKey, now: number, title?: Html): Html {
  return html`<article class="card ${key.state}" id="key-${key.key}">
<header>${title ?? html`<h3>${keyLink(key.key, "card")}</h3>`}${badge(key.state)}<span class="quiet where">${key.target}${key.field !== undefined && ` · ${key.field}`} · ${key.provider}</span></header>
${standsStill(key, now)}
${key.rotation ? rotation(key, now) : html`<div class="age">${ageBar(key, now)}</div>`}
<dl>${facts(key, now)}</dl>
${notes(key)}
${retiring(key, now)}
</article>`;
}

/** Why it waits for a person, and what to type. */
function standsStill({ state, message = "", rotation: open, next }: LiveKey, now: number): Content {
  if (open?.held) {
    const title = html`Held at ${open.phase} <span class="quiet">${relative(open.held.since, now)}</span>`;
    return notice("bad", title, open.held.message, open.held.hint);
  }
  const again =
    next?.why === "retry" && html` <span class="quiet">tried again ${relative(next.at, now)}</span>`;
  if (state === "blocked") return notice("warn", html`Blocked${again}`, message);
  if (state === "failed") return notice("bad", html`Failed${again}`, message);
  if (state === "overdue")
    return notice("bad", "Overdue", message || "It should have begun more than a day ago.");
  return undefined;
}

function rotation(key: LiveKey, now: number): Content {
  const { rotation: open, reached, consumers } = key;
  if (open === undefined) return undefined;
  return html`${stepper(open, reached, now)}
${waits(key, now)}
${open.error && notice("warn", "Last error", open.error.message, open.error.hint)}
${consumers && consumers.length > 0 && consumersOf(consumers)}`;
}

/** What it waits for, and until when. Consumers that do not confirm are named below it. */
function waits({ rotation: open, consumers = [], waiting }: LiveKey, now: number): Content {
  if (open === undefined || open.held) return undefined;
  const asks = open.phase === "promoted" || open.phase === "reverting";
  const missing = asks ? missingOf(consumers) : [];
  const what =
    missing.length > 0 ? `for ${missing.join(", ")} to confirm` : (waiting ?? waitingFor(open.waitingFor));
  if (what === undefined) return undefined;
  const end = open.waitingUntil;
  return html`<p class="waits"><strong>Waits</strong> ${what}${end !== undefined && end >= now && html`, ${until(end, now)}`}</p>`;
}

function waitingFor(what: string | undefined): string | undefined {
  return what && `for ${what}`;
}

function missingOf(consumers: readonly ConsumerProgress[]): string[] {
  return consumers.filter(({ confirmed, waived }) => !confirmed && !waived).map(({ consumer }) => consumer);
}

function facts({ current, rotation: open, next, last }: LiveKey, now: number): Content {
  const rows: [string, Content][] = [];
  if (open) {
    const old = open.oldHash !== undefined && html`${hash(open.oldHash)} → `;
    if (open.newHash !== undefined) rows.push(["Key", html`${old}${hash(open.newHash)} ${open.newLabel}`]);
    rows.push(["Rotation", html`${open.kind}, ${open.reason} <span class="quiet">${open.id}</span>`]);
  } else {
    if (current) rows.push(["Key", html`${hash(current.hash)} ${current.label}`]);
    if (next) rows.push(["Next", html`${when(next.at, now)} <span class="quiet">${WHY[next.why]}</span>`]);
    if (last) rows.push(["Last", html`${last.kind} ${last.outcome} ${when(last.at, now)}`]);
  }
  if (current?.expiresAt !== undefined) rows.push(["Expires", when(current.expiresAt, now)]);
  return rows.map(([term, text]) => html`<div><dt>${term}</dt><dd>${text}</dd></div>`);
}

const WHY = { schedule: "by schedule", expiry: "before it expires", retry: "tried again" };

function notes({ rotation: open, last, message, drift, undecided }: LiveKey): Content {
  const lines: string[] = [];
  if (!open && last?.message && last.outcome !== "completed" && last.message !== message)
    lines.push(`Last time: ${last.message}`);
  if (drift.length > 0) lines.push(`Differs from the policy: ${drift.join(", ")}`);
  if (undecided) lines.push(describeUndecided(undecided));
  return lines.map((line) => html`<p class="note">${withCode(line)}</p>`);
}
