import { Registry } from "prom-client";
import { createMetrics } from "../../../src/telemetry/metrics/metrics.ts";
import { virtualClock } from "../../providers/virtual-clock.ts";

export interface Described {
  name: string;
  type: string;
  help: string;
  labelNames: readonly string[];
}

/** Every metric that a worker shows, as it is registered. */
export function describedMetrics(): Described[] {
  const registry = new Registry();
  createMetrics({ version: "0.0.0", clock: virtualClock(), process: true }, registry);
  return registry.getMetricsAsArray() as unknown as Described[];
}
