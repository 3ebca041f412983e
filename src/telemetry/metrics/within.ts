import type { Clock } from "../../lib/clock.ts";

/** What `work` resolves to, or undefined when that takes longer than `ms`; its timer does not outlive it. */
export async function within<T>(ms: number, clock: Clock, work: Promise<T>): Promise<T | undefined> {
  const done = new AbortController();
  try {
    return await Promise.race([work, clock.sleep(ms, done.signal).then(() => undefined)]);
  } finally {
    done.abort();
  }
}
