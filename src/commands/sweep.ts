import type { SweepReport, SweptKey } from "../rotation/sweep/report.ts";
import type { Context } from "./context.ts";
import { EXIT, type ExitStatus } from "./exit.ts";
import { sweepJson } from "./json.ts";
import { namedKeys } from "./keys.ts";
import { print, printJson } from "./print.ts";
import { problemLines, renderSweep } from "./render/sweep.ts";

export interface SweepOptions {
  yes?: boolean;
  exitCode?: boolean;
  json?: boolean;
}

/** `rotate sweep [KEY…]`: what lost rotations left at the provider; deleted with `--yes`, else only shown. */
export async function sweep(
  context: Context,
  names: readonly string[],
  options: SweepOptions,
): Promise<number> {
  const { engine, policy, actor, signal, screen, style } = context;
  const keys = namedKeys(policy, names);
  const report = await engine.sweep({
    ...(keys ? { keys } : {}),
    ...(options.yes ? { remove: { actor } } : {}),
    signal,
  });
  if (options.json) printJson(sweepJson(report));
  else {
    const [one, ...others] = Object.keys(policy.providers);
    const again = ["rotate sweep", ...(keys ?? []), "--yes"].join(" ");
    print(renderSweep(report, { again, onlyProvider: others.length === 0 ? one : undefined }, style));
    for (const line of problemLines(report)) screen.print(line);
  }
  return statusOf(report, options, signal.aborted);
}

/** What could not be looked at or deleted outranks what is left. */
function statusOf({ keys, problems }: SweepReport, options: SweepOptions, stopped: boolean): ExitStatus {
  if (problems.length > 0) return EXIT.failed;
  const left = keys.filter(({ outcome }) => outcome !== "deleted" && outcome !== "gone");
  const undone = ({ verdict, outcome }: SweptKey) => verdict === "lost" && outcome === undefined;
  if (options.yes && stopped && left.some(undone)) return EXIT.workRemains;
  return options.exitCode && left.length > 0 ? EXIT.workRemains : EXIT.done;
}
