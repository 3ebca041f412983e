import { Counter, Histogram, type Registry } from "prom-client";
import type { Policy } from "../../policy/schema.ts";
import type { Called, CallMeter, FinishedCall } from "./call-meter.ts";
import { forget, type Known } from "./series.ts";

/** From a cached answer to the four tries of a call that times out. */
const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

interface Calls {
  count: Counter;
  duration: Histogram;
  throttled: Counter;
}

/** Calls to providers and stores: how many, how they ended, how long they took and how long they waited their turn. */
export function callMetrics(registry: Registry): CallMeter & Known {
  const of: Record<Called, Calls> = {
    provider: callsOf("provider", "providers of keys", registry),
    store: callsOf("store", "secrets stores", registry),
  };
  return {
    called({ kind, name, operation, outcome, ms }: FinishedCall) {
      const { count, duration } = of[kind];
      count.inc({ [kind]: name, operation, outcome });
      duration.observe({ [kind]: name, operation }, ms / 1_000);
    },

    throttled(kind, name, ms) {
      of[kind].throttled.inc({ [kind]: name }, ms / 1_000);
    },

    async know({ providers, stores }: Policy) {
      for (const name of Object.keys(providers)) of.provider.throttled.inc({ provider: name }, 0);
      for (const name of Object.keys(stores)) of.store.throttled.inc({ store: name }, 0);
      for (const metric of Object.values(of.provider)) await forget(metric, "provider", providers);
      for (const metric of Object.values(of.store)) await forget(metric, "store", stores);
    },
  };
}

function callsOf(kind: Called, whom: string, registry: Registry): Calls {
  const common = { registers: [registry] };
  return {
    count: new Counter({
      ...common,
      name: `keyturn_${kind}_calls_total`,
      help: `Calls to ${whom}, by operation and outcome: ok, or an error's code. Repetitions inside a call are not counted.`,
      labelNames: [kind, "operation", "outcome"],
    }),
    duration: new Histogram({
      ...common,
      name: `keyturn_${kind}_call_duration_seconds`,
      help: `How long calls to ${whom} took, with what they waited and repeated inside.`,
      labelNames: [kind, "operation"],
      buckets: SECONDS,
    }),
    throttled: new Counter({
      ...common,
      name: `keyturn_${kind}_throttled_seconds_total`,
      help: `Time that calls to ${whom} waited because of a rate limit, ours or theirs; summed over calls that wait at the same time.`,
      labelNames: [kind],
    }),
  };
}
