import { cronGaps } from "../../schedule/cron.ts";
import { formatDuration } from "../duration.ts";
import type { KeyView, PolicyView } from "../view.ts";
import { cronFault, isTimeZone } from "./cron-fault.ts";

export interface Period {
  /** Milliseconds from one scheduled instant to the next. */
  shortest: number;
  longest: number;
  /** The longest one in words. */
  words: string;
}

/** How far apart a key's scheduled instants lie; undefined without a schedule, or with a faulty one. */
export function periodOf({ policy }: KeyView, { now }: PolicyView): Period | undefined {
  const { schedule, timezone } = policy;
  if (schedule === undefined || schedule === "none" || timezone === undefined || !isTimeZone(timezone)) {
    return undefined;
  }
  if (typeof schedule !== "string") {
    return { shortest: schedule.every, longest: schedule.every, words: formatDuration(schedule.every) };
  }
  const gaps = cronFault(schedule) ? undefined : cronGaps(schedule, timezone, now);
  return gaps && { ...gaps, words: formatDuration(gaps.longest) };
}
