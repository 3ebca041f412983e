import type { Clock } from "../lib/clock.ts";

/** A sleep that ends early when it rings, and at once when it rang since the last one. */
export class Bell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  async sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, AbortSignal.any([signal, this.#rung.signal]));
    this.#rung = new AbortController();
  }
}
