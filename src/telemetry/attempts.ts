import { isIPv6 } from "node:net";
import type { Clock } from "../lib/clock.ts";

const WINDOW_MS = 60_000;
const MOST_OF_A_PEER = 10;
const MOST_OF_ALL = 100;

/** Bounds how many wrong tokens are listened to in a minute, of one peer and of all. */
export class Attempts {
  readonly #clock: Clock;
  #since = Number.NEGATIVE_INFINITY;
  #all = 0;
  /** By network: see {@link networkOf}. */
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
    const network = networkOf(peer);
    const ofPeer = this.#byPeer.get(network) ?? 0;
    if (this.#all >= MOST_OF_ALL || ofPeer >= MOST_OF_A_PEER) return false;
    this.#all += 1;
    this.#byPeer.set(network, ofPeer + 1);
    return true;
  }

  /** An attempt that was begun had the right token: it does not count. */
  right(peer: string): void {
    this.#all = Math.max(0, this.#all - 1);
    const network = networkOf(peer);
    const ofPeer = (this.#byPeer.get(network) ?? 0) - 1;
    if (ofPeer > 0) this.#byPeer.set(network, ofPeer);
    else this.#byPeer.delete(network);
  }

  /** Seconds until attempts are listened to again. */
  secondsLeft(): number {
    return Math.max(1, Math.ceil((this.#since + WINDOW_MS - this.#clock.now()) / 1_000));
  }
}

/** Who has one address of IPv6 commonly has all of its /64: they count as one. */
function networkOf(peer: string): string {
  if (!isIPv6(peer) || peer.startsWith("::ffff:")) return peer;
  const [front = [], back = []] = peer
    .split("::")
    .map((half) => half.split(":").filter((group) => group !== ""));
  const left = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return [...front, ...left, ...back].slice(0, 4).join(":");
}
