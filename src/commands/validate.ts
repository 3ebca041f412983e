import { systemClock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import { loadPolicy, PolicyError } from "../policy/load.ts";
import { type Globals, withEngine } from "./context.ts";
import { EXIT } from "./exit.ts";
import { faultJson } from "./json.ts";
import { print, printJson } from "./print.ts";
import { noteLines } from "./render/notes.ts";
import { styler, wantsColor } from "./render/style.ts";

export interface ValidateOptions {
  online?: boolean;
  json?: boolean;
}

/** `rotate validate`: judges the policy; without `--online` nothing but the file is looked at. */
export async function validate(
  globals: Globals,
  names: readonly string[],
  options: ValidateOptions,
): Promise<number> {
  const file = globals.policy;
  if (names.length > 0 && !options.online)
    throw new RotationError("usage", "keys are named only with --online", {
      hint: "the policy is one: rotate validate checks all of it",
    });
  try {
    const { policy, warnings } = await loadPolicy(file, process.env, { now: systemClock.now() });
    if (options.online) {
      const { validateOnline } = await import("./validate-online.ts");
      return await withEngine(globals, { acts: false }, (context) => validateOnline(context, names, options));
    }
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
