import type { KeyState } from "../rotation/report.ts";
import { type Content, type Html, html, withCode } from "./html.ts";
import type { LiveKey } from "./live.ts";
import { when } from "./time.ts";

/** A state as a label, with a sign for those who see no colours. */
export function badge(state: KeyState): Html {
  return html`<span class="badge ${state}"><span aria-hidden="true">${SIGNS[state]}</span> ${state}</span>`;
}

const SIGNS: Record<KeyState, string> = {
  ok: "✓",
  rotating: "↻",
  held: "!",
  blocked: "!",
  failed: "✕",
  overdue: "!",
  suspended: "–",
  new: "+",
};

export function keyLink(key: string, id: string): Html {
  return html`<a id="${id}-${key}" href="/keys/${key}">${key}</a>`;
}

/** A provider's hash of a key, which may be of any form: its first 12 characters. */
export function hash(text: string): Html {
  return html`<code class="hash">${text.length > 12 ? `${text.slice(0, 12)}…` : text}</code>`;
}

/** A message with what to do about it. */
export function notice(kind: "bad" | "warn", title: Content, message: string, hint?: string): Html {
  return html`<div class="notice ${kind}"><p class="title">${title}</p>${message !== "" && html`<p class="message">${message}</p>`}${hint !== undefined && html`<p class="hint">${withCode(hint)}</p>`}</div>`;
}

/** Old keys on their way out. */
export function retiring({ retiring: old }: LiveKey, now: number): Html | undefined {
  if (old.length === 0) return undefined;
  const items = old.map(
    (key) =>
      html`<li>${hash(key.hash)} ${key.label} <span class="quiet">${key.disabled ? "disabled" : "still enabled"}</span>, to be deleted ${when(key.deleteAt, now)}</li>`,
  );
  return html`<div class="retiring"><p class="sub">Old keys on their way out</p><ul>${items}</ul></div>`;
}
