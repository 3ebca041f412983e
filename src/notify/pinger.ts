import type { Clock } from "../lib/clock.ts";
import { type Random, randomId } from "../lib/random.ts";
import type { Policy } from "../policy/schema.ts";
import type { Log } from "../rotation/parts.ts";
import type { KeyResult } from "../rotation/report.ts";
import { passBody } from "./body.ts";
import type { Attempt } from "./deliver.ts";
import { type Destination, destinationsOf } from "./destination.ts";
import { mayPass } from "./lane.ts";
import type { PassBody } from "./schema.ts";

export interface PingerParts {
  /** In force. */
  policy: () => Policy;
  clock: Clock;
  random: Random;
  log: Log;
  post: (destination: Destination, body: PassBody) => Promise<Attempt>;
  /** Nothing more is tried. */
  signal: AbortSignal;
}

/** Passes of a worker follow one another closely; a monitor wants no more than this. */
const AT_MOST_EVERY_MS = 60_000;
/** A sign of life that stays away is the signal itself: it is tried so often, and not kept. */
const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 1_000;

/** Tells monitors that passes go on: a dead man's switch. */
export class Pinger {
  readonly #parts: PingerParts;
  /** By destination, the one under way: a secret's file that hangs must not be asked for once more with every pass. */
  readonly #pending = new Map<string, Promise<void>>();
  readonly #failing = new Set<string>();
  #latest: number | undefined;

  constructor(parts: PingerParts) {
    this.#parts = parts;
  }

  /** A pass has ended with these results. */
  passed(results: readonly KeyResult[]): void {
    const { policy, clock, random } = this.#parts;
    const now = clock.now();
    if (this.#latest !== undefined && Math.abs(now - this.#latest) < AT_MOST_EVERY_MS) return;
    const { keys, installation } = policy();
    const destinations = destinationsOf(keys, "pass");
    if (destinations.length === 0) return;
    const body = passBody({ id: `msg_${randomId(random, 16)}`, at: now, installation }, results);
    if (body === undefined) return;
    this.#latest = now;
    for (const destination of destinations) {
      const { id } = destination;
      if (this.#pending.has(id)) continue;
      this.#pending.set(
        id,
        this.#ping(destination, body).finally(() => this.#pending.delete(id)),
      );
    }
  }

  async settled(): Promise<void> {
    await Promise.all(this.#pending.values());
  }

  async #ping(destination: Destination, body: PassBody): Promise<void> {
    const { post, clock, log, signal } = this.#parts;
    for (let attempt = 1; !signal.aborted; attempt++) {
      const { error, place, channel } = await post(destination, body);
      if (error === undefined) {
        this.#failing.delete(destination.id);
        return log("debug", { channel }, `told ${place}: pass`);
      }
      if (attempt < ATTEMPTS && mayPass(error)) {
        await clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1), signal);
        continue;
      }
      const level = this.#failing.has(destination.id) ? "debug" : "warn";
      this.#failing.add(destination.id);
      const { code, hint, message } = error;
      return log(
        level,
        { channel, code, ...(hint ? { hint } : {}) },
        `no sign of life to ${place}: ${message}`,
      );
    }
  }
}
