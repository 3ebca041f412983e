import type { Context } from "./context.ts";
import { EXIT, exitOfResults } from "./exit.ts";
import { follow } from "./follow.ts";
import { resultJson } from "./json.ts";
import { print, printJson } from "./print.ts";
import { renderResult, summary } from "./render/results.ts";
import { handedOver } from "./request.ts";

export interface OnceOptions {
  deadline: number;
  /** False with `--no-start`. */
  start: boolean;
  exitCode?: boolean;
  takeOver?: boolean;
  json?: boolean;
}

/** `rotate once`: one pass over what is due or in flight. */
export async function once(context: Context, options: OnceOptions): Promise<number> {
  const { engine, policy, clock, actor, style, signal } = context;
  if (options.takeOver) {
    for (const key of policy.keys) await engine.request(key.name, { kind: "take-over", actor });
  }
  const results = await follow(context, {
    deadline: clock.now() + options.deadline,
    start: options.start,
    until: "deleted",
  });
  if (options.json) printJson({ results: results.map(resultJson) });
  else {
    for (const result of results)
      if (result.outcome !== "idle" || result.undecided) print(renderResult(handedOver(result), style));
    print(summary(results));
  }
  const status = exitOfResults(results);
  // A CronJob's pass that leaves a soak to the next one has done its work, unless somebody stopped it.
  return status === EXIT.workRemains && !options.exitCode && !signal.aborted ? EXIT.done : status;
}
