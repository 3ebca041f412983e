import type { Clock } from "../../src/lib/clock.ts";

interface Sleeper {
  at: number;
  order: number;
  wake: (() => void) | undefined;
}

/** Turns of the event loop after which nothing that was woken can have anything left to do but sleep. */
const TURNS = 2;

/**
 * Virtual time: jumps to the next sleeper's instant once nothing else has anything left to do.
 * Sleepers of one instant are woken in the order in which they went to sleep.
 */
export class Timeline implements Clock {
  #now: number;
  #order = 0;
  #running = false;
  /** A binary heap, the earliest first. */
  readonly #heap: Sleeper[] = [];

  constructor(start: number) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const sleeper: Sleeper = { at: this.#now + Math.max(0, ms), order: this.#order++, wake };
      function wake() {
        sleeper.wake = undefined;
        signal?.removeEventListener("abort", wake);
        resolve();
      }
      signal?.addEventListener("abort", wake, { once: true });
      this.#push(sleeper);
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      for (let turn = 0; turn < TURNS; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
      const next = this.#pop();
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      next.wake?.();
    }
    this.#running = false;
  }

  #push(sleeper: Sleeper): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Sleeper;
      if (!before(sleeper, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = sleeper;
  }

  /** The earliest that has not been woken already. */
  #pop(): Sleeper | undefined {
    for (let top = this.#take(); top !== undefined; top = this.#take()) if (top.wake) return top;
    return undefined;
  }

  #take(): Sleeper | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      if (right !== undefined && before(right, heap[child] as Sleeper)) child += 1;
      const below = heap[child];
      if (below === undefined || !before(below, last)) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
    return top;
  }
}

function before(a: Sleeper, b: Sleeper): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
