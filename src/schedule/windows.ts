import type { WindowPolicy } from "../policy/schema.ts";
import { nextCron } from "./cron.ts";

/** How far ahead, and in how many steps, an opening is looked for. */
const HORIZON_MS = 366 * 86_400_000;
const STEPS = 5_000;

export interface WindowState {
  open: boolean;
  /** The next instant at which it is open, while closed; undefined when none comes within a year. */
  opensAt?: number;
  /** Which window closes it, while closed. */
  why?: string;
}

/**
 * Whether something may be started, disabled or deleted at `now` (epoch milliseconds). A window
 * begins at each run of its cron expression and lasts `duration`: a `deny` window closes while it
 * lasts; where there is an `allow` window, everything outside the allow windows is closed.
 */
export function windowState(windows: readonly WindowPolicy[], timezone: string, now: number): WindowState {
  const closed = closedBy(windows, timezone, now);
  if (closed === undefined) return { open: true };
  let at: number | undefined = closed.until;
  for (let step = 0; step < STEPS && at !== undefined && at - now < HORIZON_MS; step++) {
    const next = closedBy(windows, timezone, at);
    if (next === undefined) return { open: false, opensAt: at, why: closed.why };
    at = next.until;
  }
  return { open: false, why: closed.why };
}

/** What closes the instant `at`, and the first instant at which that is over; undefined while open. */
function closedBy(
  windows: readonly WindowPolicy[],
  timezone: string,
  at: number,
): { until: number | undefined; why: string } | undefined {
  for (const window of windows) {
    if (window.kind !== "deny") continue;
    const start = startOfWindowAround(window, timezone, at);
    if (start !== undefined) {
      return { until: start + window.duration, why: `deny window "${window.schedule}"` };
    }
  }
  const allows = windows.filter((window) => window.kind === "allow");
  if (allows.length === 0) return undefined;
  if (allows.some((window) => startOfWindowAround(window, timezone, at) !== undefined)) return undefined;
  const starts = allows.flatMap((window) => nextCron(window.schedule, timezone, at) ?? []);
  return {
    until: starts.length > 0 ? Math.min(...starts) : undefined,
    why: `outside the allow windows ${allows.map((window) => `"${window.schedule}"`).join(", ")}`,
  };
}

/** The start of a window that contains `at`, its end excluded. */
function startOfWindowAround(window: WindowPolicy, timezone: string, at: number): number | undefined {
  const start = nextCron(window.schedule, timezone, at - window.duration);
  return start !== undefined && start <= at ? start : undefined;
}
