import type { ForeseenCalls } from "../../rotation/foreseen-calls.ts";
import type { KeyPlan } from "../../rotation/report.ts";
import type { Format, Style } from "./style.ts";

/** PROVISION stands out: a misspelled secret would mint a key nobody asked for. */
const COLORS: Record<KeyPlan["verb"], Format> = {
  ROTATE: ["bold", "cyan"],
  PROVISION: ["bold", "inverse", "yellow"],
  ADOPT: ["bold", "yellow"],
  CONTINUE: ["bold", "cyan"],
  RETIRE: ["bold", "magenta"],
  BLOCKED: ["bold", "red"],
  NOTHING: "gray",
};

/** Where consumers, the overlap or the watch take their time, more looks are made. */
function callsLine({ provider, store, sweeps }: ForeseenCalls): string {
  const asks = sweeps === 0 ? "" : `; asks every consumer ${sweeps} times`;
  const ofStore = store === 0 ? "" : ` and ${store} of the store`;
  return `calls: at least ${provider} of the provider${ofStore}${asks}`;
}

/** What a pass would do, key by key, step by step. */
export function renderPlan(plans: readonly KeyPlan[], style: Style): string {
  return plans
    .map((plan) =>
      [
        `${style("bold", plan.key)}  ${style(COLORS[plan.verb], plan.verb)}  ${plan.why}`,
        ...plan.steps.map((step, i) => `  ${i + 1}. ${step.action}  ${style("dim", `[${step.reason}]`)}`),
        ...(plan.calls ? [`  ${style("dim", callsLine(plan.calls))}`] : []),
        ...plan.warnings.map((warning) => `  ${style("yellow", "warning:")} ${warning}`),
      ].join("\n"),
    )
    .join("\n");
}
