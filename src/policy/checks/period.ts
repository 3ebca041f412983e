import { type CronGaps, cronGaps } from "../../schedule/cron.ts";
import type { KeyView, PolicyView } from "../view.ts";
import { cronFault, isTimeZone } from "./cron-fault.ts";

/** How far apart a key's scheduled instants lie; undefined without a schedule, or with a faulty one. */
export function periodOf({ policy }: KeyView, { now }: PolicyView): CronGaps | undefined {
  const { schedule, timezone } = policy;
  if (schedule === undefined || schedule === "none") return undefined;
  if (typeof schedule !== "string") {
    return { shortest: schedule.every, longest: schedule.every, usual: schedule.every };
  }
  if (timezone === undefined || !isTimeZone(timezone) || cronFault(schedule)) return undefined;
  return cronGaps(schedule, timezone, now);
}
