import { Gauge, type Registry } from "prom-client";
import type { KeyPolicy, Policy } from "../../policy/schema.ts";
import type { KeyStatus } from "../../rotation/report.ts";
import { OVERDUE_AFTER_MS } from "../../rotation/timing.ts";
import { PHASES, reasonLabel, STATES } from "./closed-sets.ts";

/** What the journal does not know of a key, as this process has seen it. */
export interface Seen {
  /** How many consumers of the open rotation have yet to confirm. */
  waitingConsumers(status: KeyStatus, policy: KeyPolicy): number;
  /** The code of the latest error that held the key up; undefined once it gets by without one. */
  lastError(status: KeyStatus): string | undefined;
}

export interface KeyMetrics {
  /** Of the metrics that it shows. */
  names: readonly string[];
  /** Shows these keys and no others. Instants in epoch milliseconds. */
  show(statuses: readonly KeyStatus[], policy: Policy, now: number): void;
}

/** Gauges of every key of the policy, as the journal shows it. */
export function keyMetrics(registry: Registry, seen: Seen): KeyMetrics {
  const all: Gauge[] = [];
  const names: string[] = [];
  const gauge = (suffix: string, help: string, ...labels: string[]) => {
    const name = `keyturn_key_${suffix}`;
    const made = new Gauge({ name, help, labelNames: ["key", ...labels], registers: [registry] });
    all.push(made);
    names.push(name);
    return made;
  };
  const info = gauge("info", "Always 1; the provider and the store of the key.", "provider", "store");
  const state = gauge("state", "1 for the state that the key is in, 0 for the others.", "state");
  const phase = gauge(
    "rotation_phase",
    "1 for the phase that the key's open rotation is in, 0 for the others; all 0 without one.",
    "phase",
  );
  const held = gauge("held_info", "1 while the key's rotation waits for a person; and why.", "reason");
  const blocked = gauge(
    "blocked_info",
    "1 while a rotation of the key should start and cannot; and why.",
    "reason",
  );
  const error = gauge(
    "last_error_info",
    "1 for the code of the latest error that held the key up; absent once it gets by without one.",
    "code",
  );
  const overdue = gauge("overdue", "1 when the key was due more than a day ago and is not replaced yet.");
  const created = gauge(
    "created_timestamp_seconds",
    "When the key in use was created, or was first seen where the provider does not say; Unix time.",
  );
  const age = gauge("age_seconds", "Age of the key in use, as of this scrape.");
  const due = gauge(
    "due_timestamp_seconds",
    "When the next rotation is due; Unix time; absent while it is not known.",
  );
  const dueIn = gauge(
    "due_in_seconds",
    "Time until the next rotation is due, as of this scrape; negative past it.",
  );
  const expires = gauge(
    "expiration_timestamp_seconds",
    "When the key in use expires at the provider; Unix time; absent for a key that does not.",
  );
  const expiresIn = gauge(
    "expires_in_seconds",
    "Time until the key in use expires, as of this scrape; negative past it.",
  );
  const started = gauge(
    "rotation_started_timestamp_seconds",
    "When the key's open rotation began; Unix time; absent without one.",
  );
  const last = gauge(
    "last_rotation_timestamp_seconds",
    "When the key's latest ended rotation ended, under its outcome; Unix time.",
    "outcome",
  );
  const waiting = gauge(
    "waiting_consumers",
    "Consumers of the key's open rotation that have yet to confirm, waived ones left out.",
  );
  const retiring = gauge("retiring_keys", "Old keys of this key on their way out, disabled or not yet.");
  const drift = gauge("drifted_settings", "Settings of the key in use that differ from the policy's.");

  const show = (status: KeyStatus, policy: KeyPolicy, now: number) => {
    const { key, current, rotation, next } = status;
    info.set({ key, provider: status.provider, store: policy.store.use }, 1);
    for (const one of STATES) state.set({ key, state: one }, one === status.state ? 1 : 0);
    for (const one of PHASES) phase.set({ key, phase: one }, one === rotation?.phase ? 1 : 0);
    if (status.reason !== undefined)
      (status.state === "held" ? held : blocked).set({ key, reason: reasonLabel(status.reason) }, 1);
    const code = seen.lastError(status);
    if (code !== undefined) error.set({ key, code }, 1);
    overdue.set({ key }, isOverdue(status, now) ? 1 : 0);
    if (current) {
      const at = current.createdAt ?? current.since;
      created.set({ key }, at / 1_000);
      age.set({ key }, (now - at) / 1_000);
    }
    if (next && !isServed(status)) {
      due.set({ key }, next.at / 1_000);
      dueIn.set({ key }, (next.at - now) / 1_000);
    }
    if (current?.expiresAt !== undefined) {
      expires.set({ key }, current.expiresAt / 1_000);
      expiresIn.set({ key }, (current.expiresAt - now) / 1_000);
    }
    if (rotation) started.set({ key }, rotation.startedAt / 1_000);
    if (status.last) last.set({ key, outcome: status.last.outcome }, status.last.at / 1_000);
    waiting.set({ key }, seen.waitingConsumers(status, policy));
    retiring.set({ key }, status.retiring.length);
    drift.set({ key }, status.drift.length);
  };

  let named: { of: Policy; keys: Map<string, KeyPolicy> } | undefined;

  return {
    names,
    show(statuses, policy, now) {
      for (const one of all) one.reset();
      if (named?.of !== policy)
        named = { of: policy, keys: new Map(policy.keys.map((key) => [key.name, key])) };
      for (const status of statuses) {
        const its = named.keys.get(status.key);
        if (its) show(status, its, now);
      }
    },
  };
}

/** Also while it is held, blocked or failing: `status` then shows that, which is nearer the cause. */
function isOverdue(status: KeyStatus, now: number): boolean {
  const { state, next } = status;
  if (state === "suspended" || isServed(status)) return false;
  return state === "overdue" || (next !== undefined && now > next.at + OVERDUE_AFTER_MS);
}

/** The key was replaced after it fell due: its rotation goes on with the old one, and the next instant is not known yet. */
function isServed({ current, rotation, next }: KeyStatus): boolean {
  return rotation?.direction === "forward" && next !== undefined && next.at <= (current?.since ?? 0);
}
