import { type CronGaps, cronGaps } from "../../schedule/cron.ts";
import type { KeyView, PolicyView } from "../view.ts";
import { cronFault, isTimeZone } from "./cron-fault.ts";

/** By policy, schedule and time zone: several checks ask, thousands of keys share a schedule, and an answer costs milliseconds. */
const known = new WeakMap<PolicyView, Map<string, CronGaps | undefined>>();

/** How far apart a key's scheduled instants lie; undefined without a schedule, or with a faulty one. */
export function periodOf({ policy }: KeyView, view: PolicyView): CronGaps | undefined {
  const { schedule, timezone } = policy;
  if (schedule === undefined || schedule === "none") return undefined;
  if (typeof schedule !== "string") {
    return { shortest: schedule.every, longest: schedule.every, usual: schedule.every };
  }
  if (timezone === undefined || !isTimeZone(timezone)) return undefined;
  const gaps = known.get(view) ?? new Map<string, CronGaps | undefined>();
  known.set(view, gaps);
  const id = JSON.stringify([schedule, timezone]);
  if (!gaps.has(id)) gaps.set(id, cronFault(schedule) ? undefined : cronGaps(schedule, timezone, view.now));
  return gaps.get(id);
}
