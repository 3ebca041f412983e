import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { eventJson } from "./json.ts";
import { print, printJson } from "./print.ts";
import { renderHistory } from "./render/history.ts";

/** `rotate history [KEY]`: the event log. A key that has left the policy still has its history. */
export async function history(
  { engine, style }: Context,
  key: string | undefined,
  options: { limit: number; json?: boolean },
): Promise<number> {
  const events = await engine.history({ key, limit: options.limit });
  if (options.json) printJson({ events: events.map(eventJson) });
  else print(renderHistory(events, style));
  return EXIT.done;
}
