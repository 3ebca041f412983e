export type LimitReset = "daily" | "weekly" | "monthly" | null;

/** Credits spent in all, and in the day, week (from Monday) and month of `at`, all in UTC. */
export interface Usage {
  readonly total: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly at: number;
}

export const emptyUsage: Usage = { total: 0, daily: 0, weekly: 0, monthly: 0, at: 0 };

/** The counters as they stand at `now`: those whose period is over are 0. */
export function usageAt(usage: Usage, now: number): Usage {
  const counter = (period: "daily" | "weekly" | "monthly") =>
    periodStart(period, usage.at) === periodStart(period, now) ? usage[period] : 0;
  return {
    total: usage.total,
    daily: counter("daily"),
    weekly: counter("weekly"),
    monthly: counter("monthly"),
    at: now,
  };
}

export function usageWith(usage: Usage, credits: number, now: number): Usage {
  const { total, daily, weekly, monthly } = usageAt(usage, now);
  return {
    total: total + credits,
    daily: daily + credits,
    weekly: weekly + credits,
    monthly: monthly + credits,
    at: now,
  };
}

function periodStart(period: "daily" | "weekly" | "monthly", instant: number): number {
  const date = new Date(instant);
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  if (period === "daily") return Date.UTC(year, month, day);
  if (period === "monthly") return Date.UTC(year, month);
  const sinceMonday = (date.getUTCDay() + 6) % 7;
  return Date.UTC(year, month, day - sinceMonday);
}
