import { hash } from "node:crypto";
import type { KeyPolicy } from "../policy/schema.ts";
import { nextCron } from "./cron.ts";

export interface DueInput {
  schedule: KeyPolicy["schedule"];
  timezone: string;
  /** Milliseconds. */
  spread: number;
  /** Milliseconds; left out, a third of the key's life. */
  renewBefore?: number;
  /** When the current key became current, epoch milliseconds. */
  since: number;
  /** When the current key expires, epoch milliseconds; left out for never. */
  expiresAt?: number;
  /** When the provider issued it, epoch milliseconds; `since` when unknown. */
  createdAt?: number;
  /** A number in [0, 1), drawn once for this due instant. */
  fraction: number;
}

export interface Due {
  /** Epoch milliseconds, jitter included. */
  at: number;
  why: "schedule" | "expiry";
  /** Digest of what `at` was computed from, jitter excepted: another one means that it must be computed again. */
  basis: string;
}

/**
 * When a key is due: the earlier of the schedule's next instant after `since`, with jitter, and the
 * key's expiry less `renewBefore`, which jitter never delays (R5). Undefined when neither comes.
 */
export function computeDue(input: DueInput): Due | undefined {
  const basis = dueBasis(input);
  const scheduled = nextScheduled(input.schedule, input.timezone, input.since);
  const jittered =
    scheduled === undefined ? undefined : scheduled + Math.floor(input.fraction * input.spread);
  const expiry = renewalInstant(input);
  if (expiry !== undefined && (jittered === undefined || expiry < jittered)) {
    const bySchedule = scheduled !== undefined && scheduled <= expiry;
    return { at: expiry, why: bySchedule ? "schedule" : "expiry", basis };
  }
  return jittered === undefined ? undefined : { at: jittered, why: "schedule", basis };
}

/** The digest that {@link Due.basis} holds for this input. */
export function dueBasis(input: Omit<DueInput, "fraction" | "createdAt">): string {
  const { schedule, timezone, spread, renewBefore, since, expiresAt } = input;
  const facts = [schedule, timezone, spread, renewBefore ?? null, since, expiresAt ?? null];
  return hash("sha256", JSON.stringify(facts), "hex").slice(0, 16);
}

function nextScheduled(schedule: KeyPolicy["schedule"], timezone: string, since: number): number | undefined {
  if (schedule === "none") return undefined;
  return typeof schedule === "string" ? nextCron(schedule, timezone, since) : since + schedule.every;
}

function renewalInstant({ expiresAt, renewBefore, createdAt, since }: DueInput): number | undefined {
  if (expiresAt === undefined) return undefined;
  const life = Math.max(0, expiresAt - (createdAt ?? since));
  return expiresAt - (renewBefore ?? Math.round(life / 3));
}

/** How much of a backoff jitter may take away. */
const JITTER = 0.2;

/**
 * When to try again after the `count`th failure in a row (from 1): `after`, doubling up to `max`
 * (milliseconds), less up to a fifth by `fraction` in [0, 1).
 */
export function retryAt(
  retry: { after: number; max: number },
  count: number,
  now: number,
  fraction: number,
): number {
  const backoff = Math.min(retry.max, retry.after * 2 ** Math.max(0, count - 1));
  return now + Math.round(backoff * (1 - JITTER * fraction));
}
