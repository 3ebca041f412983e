import { systemClock } from "../lib/clock.ts";
import { loadPolicy, PolicyError } from "../policy/load.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { faultJson } from "./json.ts";
import { print, printJson } from "./print.ts";
import { noteLines } from "./render/notes.ts";
import { styler, wantsColor } from "./render/style.ts";

/** `rotate validate`: judges the policy; nothing but the file is looked at. */
export async function validate(globals: Globals, options: { json?: boolean }): Promise<number> {
  const file = globals.policy;
  try {
    const { policy, warnings } = await loadPolicy(file, process.env, { now: systemClock.now() });
    if (options.json) printJson({ valid: true, faults: [], warnings });
    else {
      const style = styler(wantsColor(process.stdout, globals.color));
      const count = policy.keys.length === 1 ? "1 key" : `${policy.keys.length} keys`;
      print([...noteLines(file, warnings, style), `${file} is valid: ${count}`].join("\n"));
    }
    return EXIT.done;
  } catch (error) {
    if (!options.json || !(error instanceof PolicyError)) throw error;
    printJson({ valid: false, faults: error.faults.map(faultJson), warnings: [] });
    return EXIT.usage;
  }
}
