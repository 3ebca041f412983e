import { canAsk, confirmed } from "./ask.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { namedKeys } from "./keys.ts";
import { showPlans } from "./plan.ts";
import { print, printJson } from "./print.ts";
import { requestAndFollow } from "./request.ts";

export interface NowOptions {
  deadline: number;
  until: "completed" | "deleted";
  dryRun?: boolean;
  yes?: boolean;
  takeOver?: boolean;
  json?: boolean;
}

/** `rotate --now [KEY…]`: rotates the named keys, or all that are not suspended, due or not. */
export async function now(context: Context, names: readonly string[], options: NowOptions): Promise<number> {
  const { policy, engine, screen } = context;
  const keys = namedKeys(policy, names) ?? policy.keys.filter((key) => !key.suspend).map((key) => key.name);
  if (keys.length === 0) {
    if (options.json) printJson({ results: [] });
    else print("nothing to rotate: every key of the policy is suspended");
    return EXIT.done;
  }
  if (options.dryRun) {
    showPlans(context, await engine.plan(keys, { requested: "rotate" }), options);
    return EXIT.done;
  }
  if (names.length === 0 && keys.length > 1 && !options.yes && canAsk()) {
    screen.print(keys.map((key) => `  ${key}`).join("\n"));
    if (!(await confirmed(`Rotate these ${keys.length} keys now?`))) {
      screen.print("rotate: nothing was done");
      return EXIT.failed;
    }
  }
  const takeOver = options.takeOver ? [{ kind: "take-over" as const }] : [];
  return await requestAndFollow(context, keys, [...takeOver, { kind: "rotate" }], options);
}
