import { Counter, collectDefaultMetrics, Gauge, type Registry } from "prom-client";
import type { Clock } from "../../lib/clock.ts";
import type { RotationError } from "../../lib/errors.ts";
import type { KeyResult } from "../../rotation/report.ts";
import {
  CHANNELS,
  type Channel,
  DELIVERIES,
  type Delivery,
  isErrorCode,
  PASS_RESULTS,
  type PassResult,
} from "./closed-sets.ts";

export interface ProcessMetrics {
  passed(results: readonly KeyResult[] | RotationError, tookMs: number | undefined): void;
  policyLoaded(ok: boolean): void;
  notified(channel: Channel, outcome: Delivery): void;
  journalRead(ok: boolean): void;
}

/** How this process fares: its passes, policy, journal and notifications. */
export function processMetrics(registry: Registry, clock: Clock, version: string): ProcessMetrics {
  const gauge = (name: string, help: string, ...labelNames: string[]) =>
    new Gauge({ name: `keyturn_${name}`, help, labelNames, registers: [registry] });
  const counter = (name: string, help: string, ...labelNames: string[]) =>
    new Counter({ name: `keyturn_${name}`, help, labelNames, registers: [registry] });
  /** Absent rather than 0 until there is something to say. */
  const later = (name: string, help: string) => {
    const made = gauge(name, help);
    made.remove();
    return made;
  };

  gauge("build_info", "Always 1; the version of keyturn.", "version").set({ version }, 1);
  const passes = counter(
    "passes_total",
    "Passes by result: ok; degraded, when an error held a key up; failed, when it was broken off.",
    "result",
  );
  for (const result of PASS_RESULTS) passes.inc({ result }, 0);
  const success = later(
    "last_pass_success",
    "1 when the latest pass went through, 0 when it was broken off.",
  );
  const passedAt = later(
    "last_pass_timestamp_seconds",
    "When the latest pass that went through ended; Unix time.",
  );
  const took = later("last_pass_duration_seconds", "How long the latest pass that went through took.");
  const loaded = later(
    "policy_last_load_success",
    "1 when the policy in force is what its file says, 0 when the file was refused.",
  );
  const loadedAt = later(
    "policy_last_load_success_timestamp_seconds",
    "When the policy in force was loaded; Unix time.",
  );
  const journal = later(
    "journal_up",
    "1 when the journal could be read for this scrape, 0 when it could not.",
  );
  const notifications = counter(
    "notifications_total",
    "Attempts to deliver a notification, by channel and outcome; a failed one is tried again.",
    "channel",
    "outcome",
  );
  for (const channel of CHANNELS)
    for (const outcome of DELIVERIES) notifications.inc({ channel, outcome }, 0);

  return {
    passed(results, tookMs) {
      const result = resultOf(results);
      passes.inc({ result });
      success.set(result === "failed" ? 0 : 1);
      if (result === "failed") return;
      passedAt.set(clock.now() / 1_000);
      if (tookMs !== undefined) took.set(Math.max(0, tookMs) / 1_000);
    },
    policyLoaded(ok) {
      loaded.set(ok ? 1 : 0);
      if (ok) loadedAt.set(clock.now() / 1_000);
    },
    notified: (channel, outcome) => notifications.inc({ channel, outcome }),
    journalRead: (ok) => journal.set(ok ? 1 : 0),
  };
}

function resultOf(results: readonly KeyResult[] | RotationError): PassResult {
  if (results instanceof Error) return "failed";
  const stuck = results.some(({ code }) => code !== undefined && code !== "busy" && isErrorCode(code));
  return stuck ? "degraded" : "ok";
}

/** Gauges of the Node process that prom-client names as if they were counters; others show the same. */
const MISNAMED = [
  "nodejs_active_resources_total",
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
];

/** Processor time, memory, descriptors, event loop and garbage collection of this process. */
export function nodeMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
}
