import type { EventRecord } from "../../journal/document.ts";
import type { Style } from "./style.ts";
import { table } from "./table.ts";
import { instant } from "./time.ts";

/** The event log, oldest first: when, key, what, the sentence, who. */
export function renderHistory(events: readonly EventRecord[], style: Style): string {
  if (events.length === 0) return "no events";
  return table(
    events.map((event) => ({
      cells: [
        style("dim", instant(event.at)),
        event.key,
        style("cyan", event.kind),
        `${event.message} ${style("dim", `(${[event.actor, event.rotation].filter(Boolean).join(", ")})`)}`,
      ],
    })),
  ).join("\n");
}
