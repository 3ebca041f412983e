import type { Clock } from "../lib/clock.ts";

const WINDOW_MS = 60_000;
const MOST_OF_A_PEER = 10;
const MOST_OF_ALL = 100;

/** Bounds how many wrong tokens are listened to in a minute, of one peer and of all. */
export class Attempts {
  readonly #clock: Clock;
  #since = Number.NEGATIVE_INFINITY;
  #all = 0;
  #byPeer = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an attempt, before it is judged; one beyond the bounds is not to be judged: false. */
  begin(peer: string): boolean {
    const now = this.#clock.now();
    if (Math.abs(now - this.#since) >= WINDOW_MS) {
      this.#since = now;
      this.#all = 0;
      this.#byPeer = new Map();
    }
    const ofPeer = this.#byPeer.get(peer) ?? 0;
    if (this.#all >= MOST_OF_ALL || ofPeer >= MOST_OF_A_PEER) return false;
    this.#all += 1;
    this.#byPeer.set(peer, ofPeer + 1);
    return true;
  }

  /** An attempt that was begun had the right token: it does not count. */
  right(peer: string): void {
    this.#all = Math.max(0, this.#all - 1);
    const ofPeer = (this.#byPeer.get(peer) ?? 0) - 1;
    if (ofPeer > 0) this.#byPeer.set(peer, ofPeer);
    else this.#byPeer.delete(peer);
  }

  /** Seconds until attempts are listened to again. */
  secondsLeft(): number {
    return Math.max(1, Math.ceil((this.#since + WINDOW_MS - this.#clock.now()) / 1_000));
  }
}
