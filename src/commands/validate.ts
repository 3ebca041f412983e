import { systemClock } from "../lib/clock.ts";
import { asRotationError, RotationError } from "../lib/errors.ts";
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
    const style = styler(wantsColor(process.stdout, globals.color));
    if (options.online) {
      const online = await import("./validate-online.ts");
      const { kubes } = await import("../main.ts");
      const clusters = await online.lookAtClusters(policy, names, kubes(process.env));
      const judged = { policyFile: file, warnings, style };
      if (online.journalIsAway(policy, clusters))
        return online.showWithoutJournal(judged, clusters, undefined, options);
      try {
        return await withEngine(globals, { acts: false }, (context) =>
          online.validateOnline(context, names, options, clusters),
        );
      } catch (thrown) {
        const failures = clusters.some(({ checks }) => checks.some(({ result }) => result === "failed"));
        if (!failures) throw thrown;
        return online.showWithoutJournal(judged, clusters, asRotationError(thrown), options);
      }
    }
    if (options.json) printJson({ valid: true, faults: [], warnings });
    else {
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
