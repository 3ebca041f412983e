import { type Content, type Html, html, withCode } from "./html.ts";
import type { LiveKey, Snapshot } from "./live.ts";
import { relative } from "./time.ts";
import { needsPerson } from "./view.ts";

/** In one sentence, how it stands: for the top of the page, and for the title of its tab. */
export function verdictOf({ error, keys, worker }: Snapshot): { text: string; kind: "good" | "bad" } {
  if (error) return { text: "The journal cannot be read", kind: "bad" };
  const count = keys.filter(({ state }) => needsPerson(state)).length;
  if (count > 0)
    return { text: count === 1 ? "1 key needs a person" : `${count} keys need a person`, kind: "bad" };
  if (!worker.ok) return { text: "The worker cannot do all its work", kind: "bad" };
  return { text: "All is well", kind: "good" };
}

export function headline(snapshot: Snapshot): Html {
  const { error, worker } = snapshot;
  const verdict = verdictOf(snapshot);
  const problems = [
    ...(error ? [error.hint === undefined ? error.message : `${error.message}; ${error.hint}`] : []),
    ...worker.problems,
  ];
  return html`<section id="headline" class="${verdict.kind}" aria-labelledby="verdict"><div role="status" aria-live="polite"><h1 id="verdict"><span class="sign" aria-hidden="true"></span>${verdict.text}</h1></div>
${!error && html`<p>${summary(snapshot)}</p>`}
${list("problems", problems)}${list("warnings", worker.warnings ?? [])}</section>`;
}

function summary({ keys, at }: Snapshot): Content {
  const rotating = keys.filter(({ state }) => state === "rotating");
  const next = keys.reduce<LiveKey | undefined>((first, key) => {
    if (key.next === undefined || key.rotation || key.next.at < at) return first;
    return first?.next && first.next.at <= key.next.at ? first : key;
  }, undefined);
  const all = `${keys.length} ${keys.length === 1 ? "key" : "keys"}`;
  return html`${all}. ${rotating.length > 0 && `${rotating.length === 1 ? "1 rotation" : `${rotating.length} rotations`} in flight. `}${next?.next && html`Next: ${next.key} ${relative(next.next.at, at)}.`}`;
}

function list(kind: string, sentences: readonly string[]): Html | undefined {
  if (sentences.length === 0) return undefined;
  return html`<ul class="${kind}">${sentences.map((sentence) => html`<li>${withCode(sentence)}</li>`)}</ul>`;
}
