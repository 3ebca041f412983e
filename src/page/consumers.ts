import type { ConsumerProgress } from "../rotation/report.ts";
import { type Html, html } from "./html.ts";

const MOST_CONSUMERS = 50;
const MOST_INSTANCES = 50;

/** Who has confirmed, and what each instance says. */
export function consumersOf(consumers: readonly ConsumerProgress[]): Html {
  const shown = consumers.slice(0, MOST_CONSUMERS);
  return html`<ul class="consumers" aria-label="Consumers">${shown.map(consumer)}${more(consumers.length - shown.length, "consumers")}</ul>`;
}

function consumer({
  consumer: name,
  streak,
  needed,
  confirmed,
  waived,
  instances,
  problem,
}: ConsumerProgress): Html {
  const state = waived ? "waived" : confirmed ? "confirmed" : "waiting";
  const ordered = instances.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST_INSTANCES);
  return html`<li class="consumer ${state}"><div class="who"><strong>${name}</strong>${streakOf(streak, needed)}<span class="word">${state === "waiting" ? "not confirmed yet" : state}</span></div>${problem !== undefined && html`<p class="problem">${problem}</p>`}<ul class="instances">${ordered.map(instance)}${more(instances.length - ordered.length, "instances")}</ul></li>`;
}

function instance({ instance: name, verdict, detail }: ConsumerProgress["instances"][number]): Html {
  const yes = verdict === "confirms";
  return html`<li class="${yes ? "yes" : "no"}"><span class="sign" aria-hidden="true">${yes ? "✓" : "○"}</span><span><span class="name">${name}</span> <span class="unseen">${yes ? "confirms:" : "does not confirm:"}</span><span class="detail">${detail}</span></span></li>`;
}

/** Those that are waited for come first. */
function rank({ verdict }: ConsumerProgress["instances"][number]): number {
  return verdict === "confirms" ? 1 : 0;
}

/** Sweeps in a row in which every instance confirmed, as dots and in figures. */
function streakOf(streak: number, needed: number): Html {
  const dots = needed <= 10 && Array.from({ length: needed }, (_, n) => (n < streak ? "●" : "○")).join("");
  return html`<span class="streak"><span aria-hidden="true">${dots}</span> ${streak}/${needed}<span class="unseen"> sweeps in a row</span></span>`;
}

function more(count: number, what: string): Html | undefined {
  return count > 0 ? html`<li class="quiet">and ${count} more ${what}</li>` : undefined;
}
