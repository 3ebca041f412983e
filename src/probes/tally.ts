import { confirms, membership, type Sweep } from "./probe.ts";

/**
 * Counts the confirming sweeps in a row of one consumer. An error, a relapse or a problem sets the
 * count to 0; a sweep that confirms with another membership is the first of a new row.
 */
export class SweepTally {
  #streak = 0;
  #since: number | undefined;
  #lastAt: number | undefined;
  #last: Sweep | undefined;

  /** `at`: when the sweep began, epoch milliseconds. */
  add(sweep: Sweep, at: number): void {
    const goesOn = this.#streak > 0 && membership(sweep) === this.membership;
    if (!confirms(sweep)) {
      this.#streak = 0;
      this.#since = undefined;
    } else if (goesOn) {
      this.#streak += 1;
    } else {
      this.#streak = 1;
      this.#since = at;
    }
    this.#last = sweep;
    this.#lastAt = at;
  }

  /** Confirming sweeps in a row, up to the latest. */
  get streak(): number {
    return this.#streak;
  }

  /** When the first sweep of the row began; undefined while there is no row. */
  get since(): number | undefined {
    return this.#since;
  }

  /** When the latest sweep began. */
  get lastAt(): number | undefined {
    return this.#lastAt;
  }

  get lastSweep(): Sweep | undefined {
    return this.#last;
  }

  /** Of the latest sweep. */
  get membership(): string | undefined {
    return this.#last && membership(this.#last);
  }
}
