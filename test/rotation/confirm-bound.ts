import { pollDelay } from "../../src/probes/poll.ts";

export interface Asked {
  /** Longest pause between two sweeps, in milliseconds. */
  interval: number;
  successThreshold: number;
}

/** The pause between sweeps that a wait of this age has grown to. Milliseconds both. */
export function pauseAt(age: number, interval: number): number {
  let left = age;
  for (let attempt = 0; ; attempt += 1) {
    const pause = pollDelay(attempt, interval);
    left -= pause;
    if (left < 0 || pause === interval) return pause;
  }
}

/**
 * How soon `confirmed` has to come after the last instance has applied the key, in a wait of this
 * age: twice the pause that the poll is at, and the pauses between the sweeps asked for. Milliseconds.
 */
export function confirmBound(age: number, { interval, successThreshold }: Asked): number {
  let bound = 2 * pauseAt(age, interval);
  for (let sweep = 1; sweep < successThreshold; sweep += 1) bound += pollDelay(sweep - 1, interval);
  return bound;
}
