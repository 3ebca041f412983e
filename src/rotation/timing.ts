import { backoff } from "../lib/backoff.ts";

/**
 * The end of a wait that began at `since` and lasts `duration`. An instant that lies in the future
 * is a clock that went back: the wait then counts from now (R15).
 */
export function waitEnd(since: number, duration: number, now: number): number {
  return Math.min(since, now) + duration;
}

const STEP_BACKOFF = { first: 1_000, longest: 300_000 };

/** Waits between attempts at one step, in milliseconds: 1 s doubling to 5 min, spread by ±20 %. */
export function stepBackoff(failures: number, fraction: number): number {
  return backoff(STEP_BACKOFF, failures, fraction);
}

/** How far the provider's clock may be from ours before nothing is created or deleted (R15). */
export const SKEW_LIMIT_MS = 5 * 60_000;
/** How long a new key may be refused before it counts as broken. */
export const ACTIVATION_LIMIT_MS = 2 * 60_000;
/** How long a disabled key may go on being accepted before a person is asked. */
export const DISABLE_LIMIT_MS = 10 * 60_000;
/** How long a due key may wait before it counts as overdue, in milliseconds. */
export const OVERDUE_AFTER_MS = 24 * 3_600_000;
/** How often a changed state at the provider is asked for while it is waited for. */
export const PROVIDER_POLL_MS = 1_000;
/** How old a look at the store may be while consumers are waited for. */
export const STORE_FRESH_MS = 30_000;
/** How old a look may be that was made before the phase for which it counts, as none of our own changes have come between. */
export const JUST_NOW_MS = 5_000;
/** How long after a deletion the provider's list is asked again whether the key is gone. */
export const LIST_DELAY_MS = 30_000;
