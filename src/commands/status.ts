import type { KeyState, KeyStatus } from "../rotation/report.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { statusJson } from "./json.ts";
import { namedKeys } from "./keys.ts";
import { print, printJson } from "./print.ts";
import { renderStatus } from "./render/status.ts";

export interface StatusOptions {
  watch?: boolean;
  exitCode?: boolean;
  json?: boolean;
}

const REFRESH_MS = 2_000;
const ALARMING: readonly KeyState[] = ["held", "failed", "overdue"];

/** `rotate status [KEY…]`: how each key stands. */
export async function status(
  context: Context,
  names: readonly string[],
  options: StatusOptions,
): Promise<number> {
  const keys = namedKeys(context.policy, names);
  const show = async () => {
    const found = await context.engine.status(keys);
    return { found, text: renderStatus(found, context.clock.now(), context.style) };
  };
  const found = options.watch ? await watch(context, show, options) : await showOnce(show, options);
  const alarm = found.some(({ state }) => ALARMING.includes(state));
  return options.exitCode && alarm ? EXIT.failed : EXIT.done;
}

type Show = () => Promise<{ found: KeyStatus[]; text: string }>;

async function showOnce(show: Show, { json }: StatusOptions): Promise<KeyStatus[]> {
  const { found, text } = await show();
  if (json) printJson({ keys: found.map(statusJson) });
  else print(text);
  return found;
}

/** Until a signal or a closed pipe: redrawn in place on a terminal, else printed when something changed, as one line of JSON with `--json`. */
async function watch({ clock, signal }: Context, show: Show, { json }: StatusOptions): Promise<KeyStatus[]> {
  const { redrawOn } = await import("./redraw.ts");
  const inPlace = process.stdout.isTTY && !json ? redrawOn(process.stdout) : undefined;
  let before = "";
  for (;;) {
    const { found, text } = await show();
    const facts = JSON.stringify({ keys: found.map(statusJson) });
    if (inPlace) inPlace.draw(text);
    else if (facts !== before) print(json ? facts : text);
    before = facts;
    await clock.sleep(REFRESH_MS, signal);
    if (signal.aborted || process.stdout.destroyed) {
      inPlace?.done();
      return found;
    }
  }
}
