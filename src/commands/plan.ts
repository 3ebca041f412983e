import type { KeyPlan } from "../rotation/report.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { namedKeys } from "./keys.ts";
import { print, printJson } from "./print.ts";
import { noteLines } from "./render/notes.ts";
import { renderPlan } from "./render/plan.ts";

export interface PlanOptions {
  exitCode?: boolean;
  json?: boolean;
}

/** `rotate plan [KEY…]`: what a pass would do now, and why; changes nothing. */
export async function plan(
  context: Context,
  names: readonly string[],
  options: PlanOptions,
): Promise<number> {
  const plans = await context.engine.plan(namedKeys(context.policy, names));
  showPlans(context, plans, options);
  const work = plans.some(({ verb }) => verb !== "NOTHING");
  return options.exitCode && work ? EXIT.workRemains : EXIT.done;
}

export function showPlans(context: Context, plans: readonly KeyPlan[], options: { json?: boolean }): void {
  const { warnings, style, policyFile } = context;
  if (options.json) printJson({ keys: plans, warnings });
  else print([renderPlan(plans, style), ...noteLines(policyFile, warnings, style)].join("\n"));
}
