import type { Archive } from "../journal/archive.ts";
import { openPlace } from "../main.ts";
import type { Globals } from "./context.ts";
import { wantsColor } from "./render/style.ts";

/** The journal that the policy names, to be moved. */
export function journalAt(globals: Globals) {
  return openPlace({
    policyFile: globals.policy,
    logLevel: globals.logLevel ?? "warn",
    env: process.env,
    color: wantsColor(process.stderr, globals.color),
    pretty: process.stderr.isTTY === true,
  });
}

/** `3 targets, 1 request, 120 events`. */
export function countsSaid(counts: { targets: number; requests: number; events: number }): string {
  return Object.entries(counts)
    .map(([what, count]) => `${count} ${count === 1 ? what.slice(0, -1) : what}`)
    .join(", ");
}

export function countsOf({ targets, requests, events }: Archive) {
  return { targets: targets.length, requests: requests.length, events: events.length };
}
