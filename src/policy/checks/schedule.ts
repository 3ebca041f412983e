import { windowState } from "../../schedule/windows.ts";
import type { Findings } from "../findings.ts";
import type { KeyView, PolicyView } from "../view.ts";
import { cronFault, isTimeZone, timeZoneHint } from "./cron-fault.ts";

/** The schedule, its time zone and the windows make sense, alone and together. */
export function checkSchedule(key: KeyView, { tree, now }: PolicyView, findings: Findings): void {
  const { schedule, timezone, windows = [], settings } = key.policy;
  if (typeof schedule === "string" && schedule !== "none") {
    const fault = cronFault(schedule);
    if (fault) findings.fault(tree, [...key.path, "schedule"], fault.message, { hint: fault.hint });
  }
  const zoneIsKnown = timezone !== undefined && isTimeZone(timezone);
  if (timezone !== undefined && !zoneIsKnown) {
    findings.fault(
      tree,
      [...key.path, "timezone"],
      `found ${JSON.stringify(timezone)}, no known time zone; accepted: a name like Europe/Berlin or Etc/UTC`,
      { hint: timeZoneHint(timezone) },
    );
  }
  const faulty = windows.map((window, index) => {
    const fault = cronFault(window.schedule);
    if (fault) {
      findings.fault(tree, [...key.path, "windows", index, "schedule"], fault.message, { hint: fault.hint });
    }
    return fault !== undefined;
  });
  if (zoneIsKnown && windows.length > 0 && !faulty.includes(true)) {
    const state = windowState(windows, timezone, now);
    if (!state.open && state.opensAt === undefined) {
      findings.fault(
        tree,
        [...key.path, "windows"],
        "these windows leave no instant within a year at which a rotation may start",
      );
    }
  }
  if (schedule === "none" && settings && !settings.expiresAfter && !settings.expiresAt) {
    findings.note(
      tree,
      [...key.path, "schedule"],
      "without a schedule and without an expiry this key is rotated only by hand (rotate --now)",
    );
  }
}
