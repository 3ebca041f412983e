import PQueue from "p-queue";
import type { PolicySnapshot } from "../journal/document.ts";
import type { ProviderPolicy } from "../policy/schema.ts";

/** Targets at work for each call that their provider may have under way: while one is at its provider, others are at their stores or the journal. */
const TARGETS_PER_CALL = 4;
/** The longest that a call may have to wait for the rate limit behind those of the other targets at work, in seconds. */
const LONGEST_QUEUE_S = 5;

/** Does `work` when its turn comes. Who has begun goes before who has not. */
export type Turn = <T>(begun: boolean, work: () => Promise<T>) => Promise<T>;

/**
 * Who works at a time, of the targets of each provider and store: one that hangs holds up its own
 * alone. A thousand that begin together would all wait
 * at the provider with leases that run out and evidence that grows old; a few keep it just as busy,
 * and end what they have begun. No turn is for waiting: whoever waits gives it up.
 */
export class Turns {
  readonly #queues = new Map<string, PQueue>();

  /** `snapshot`: what the policy says of a key of the target; undefined for one that has left it. */
  of(snapshot: PolicySnapshot | undefined): Turn {
    const name = JSON.stringify([snapshot?.key.provider, snapshot?.key.store.use]);
    const queue = this.#queues.get(name) ?? new PQueue();
    this.#queues.set(name, queue);
    queue.concurrency = targetsAtOnce(snapshot?.provider.rateLimit);
    return (begun, work) => queue.add(work, { priority: begun ? 1 : 0 });
  }
}

/** With no fewer at work than may call at once, the rest is bounded by how fast they may call. */
function targetsAtOnce(
  limit: ProviderPolicy["rateLimit"] = { requestsPerSecond: 10, concurrency: 8 },
): number {
  const { concurrency, requestsPerSecond } = limit;
  const byRate = Math.floor(LONGEST_QUEUE_S * requestsPerSecond);
  return Math.max(concurrency, Math.min(TARGETS_PER_CALL * concurrency, byRate));
}
