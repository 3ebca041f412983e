import type { NoticeRecord } from "../journal/document.ts";
import { backoff } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { asRotationError, type RotationError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { Log } from "../rotation/parts.ts";
import type { Attempt } from "./deliver.ts";
import type { Destination } from "./destination.ts";

export interface LaneParts {
  clock: Clock;
  random: Random;
  log: Log;
  /** Posts one notice. */
  post: (destination: Destination, notice: NoticeRecord) => Promise<Attempt>;
  /** It was taken. */
  taken: (destination: Destination, notice: NoticeRecord) => Promise<void>;
}

/** Pauses after failures: what may pass by itself, and what a person must mend. */
const WEATHER = { first: 1_000, longest: 5 * 60_000 };
const REFUSED = { first: 60_000, longest: 3_600_000 };
/** So many refusals, of different messages in a row, are about the destination and not about what is posted. */
const MOST_REFUSALS = 3;

/**
 * One destination with what is to be posted to it, oldest first. It waits for no other destination,
 * and none waits for it. What is refused goes behind what has not been tried and is waited with by
 * itself, so that one message that a receiver cannot take keeps no later one back.
 */
export class Lane {
  readonly #destination: Destination;
  readonly #parts: LaneParts;
  /** What was posted and refused; the longest untried first. */
  readonly #refused = new Set<string>();
  /** How many were refused since one was last taken. */
  #refusals = 0;
  /** It is the destination that fails, and nothing is posted before the pause is over. */
  #fails = false;
  #waiting: readonly NoticeRecord[] = [];
  #failures = 0;
  #said: string | undefined;
  #until = Number.NEGATIVE_INFINITY;
  #pause = 0;
  #busy: Promise<void> | undefined;

  constructor(destination: Destination, parts: LaneParts) {
    this.#destination = destination;
    this.#parts = parts;
  }

  /** What is to be posted from now on; the round under way goes on with what it has. */
  set waiting(notices: readonly NoticeRecord[]) {
    this.#waiting = notices;
    for (const id of this.#refused) if (!notices.some((notice) => notice.id === id)) this.#refused.delete(id);
  }

  get busy(): Promise<void> | undefined {
    return this.#busy;
  }

  /** When the next round may begin: undefined with nothing to post, or while one is under way. Epoch milliseconds. */
  next(): number | undefined {
    if (this.#busy || this.#waiting.length === 0) return undefined;
    // A clock that was set back must not make the pause longer.
    this.#until = Math.min(this.#until, this.#parts.clock.now() + this.#pause);
    return !this.#fails && this.#untried().length > 0 ? Number.NEGATIVE_INFINITY : this.#until;
  }

  /** Begins a round; `then` is called when it has ended. */
  begin(then: () => void): void {
    this.#busy = this.#round().finally(() => {
      this.#busy = undefined;
      then();
    });
  }

  async #round(): Promise<void> {
    const again = this.#until <= this.#parts.clock.now() ? this.#triedBefore() : [];
    let last: Attempt | undefined;
    for (const notice of [...this.#untried(), ...again]) {
      const attempt = await this.#post(notice);
      if (attempt.error === undefined) {
        this.#took(notice, attempt);
        await this.#parts.taken(this.#destination, notice);
        continue;
      }
      last = attempt;
      this.#fails = mayPass(attempt.error) || this.#refusedBy(notice) >= MOST_REFUSALS;
      if (this.#fails) break;
    }
    if (last !== undefined) this.#failed(last);
    else if (this.#refused.size === 0) this.#recovered();
  }

  #untried(): NoticeRecord[] {
    return this.#waiting.filter(({ id }) => !this.#refused.has(id));
  }

  #triedBefore(): NoticeRecord[] {
    return [...this.#refused].flatMap((refused) => this.#waiting.find(({ id }) => id === refused) ?? []);
  }

  /** It is not posted again, whether or not the journal can be read meanwhile. */
  #took(notice: NoticeRecord, attempt: Attempt): void {
    this.#waiting = this.#waiting.filter(({ id }) => id !== notice.id);
    this.#refused.delete(notice.id);
    this.#refusals = 0;
    this.#fails = false;
    this.#told(notice, attempt);
  }

  /** How many were refused in a row, each counted once. */
  #refusedBy({ id }: NoticeRecord): number {
    if (!this.#refused.delete(id)) this.#refusals += 1;
    this.#refused.add(id);
    return this.#refusals;
  }

  async #post(notice: NoticeRecord): Promise<Attempt> {
    try {
      return await this.#parts.post(this.#destination, notice);
    } catch (thrown) {
      return { channel: "webhook", place: "its destination", error: asRotationError(thrown) };
    }
  }

  #told({ id, event, key, rotation }: NoticeRecord, { place, channel }: Attempt): void {
    const fields = { key, ...(rotation ? { rotation } : {}), event, notification: id, channel };
    this.#parts.log("info", fields, `told ${place}: ${event}`);
  }

  #recovered(): void {
    this.#failures = 0;
    this.#said = undefined;
    this.#until = Number.NEGATIVE_INFINITY;
  }

  /** Said once, as long as it stays the same. */
  #failed({ error, place, channel }: Attempt): void {
    if (error === undefined) return;
    this.#failures += 1;
    const pause = backoff(mayPass(error) ? WEATHER : REFUSED, this.#failures, this.#parts.random.fraction());
    this.#pause = Math.max(pause, error.retryAfterMs ?? 0);
    this.#until = this.#parts.clock.now() + this.#pause;
    const { code, hint, message } = error;
    const level = this.#said === message ? "debug" : "warn";
    this.#said = message;
    const fields = { code, ...(hint ? { hint } : {}), channel, waiting: this.#waiting.length };
    this.#parts.log(
      level,
      fields,
      `a notification was not delivered to ${place}, and is tried again: ${message}`,
    );
  }
}

/** Whether the same may be taken later with nothing changed by a person. */
export function mayPass({ code }: RotationError): boolean {
  return code === "throttled" || code === "unreachable" || code === "unclear" || code === "busy";
}
