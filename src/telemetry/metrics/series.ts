import type { Counter, Histogram } from "prom-client";
import type { Policy } from "../../policy/schema.ts";

/** Metrics with names of the policy in their labels. */
export interface Known {
  /** The policy in force: a name that has come gets its zeros, one that has left loses its series. */
  know(policy: Policy): Promise<void>;
}

/** Removes the series whose `label` is none of the names. */
export async function forget(
  metric: Counter | Histogram,
  label: string,
  names: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { values } = await metric.get();
  for (const { labels } of values) {
    const name = labels[label];
    if (typeof name !== "string" || Object.hasOwn(names, name)) continue;
    const { le: _, ...rest } = labels as Record<string, string>;
    metric.remove(rest);
  }
}
