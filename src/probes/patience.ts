import type { Clock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";

/**
 * What `work` gives, unless `ms` pass before or `outer` is aborted: then `unclear`, with what `late`
 * says, whether or not the work heeds the signal that it is given.
 */
export async function withPatience<T>(
  {
    ms,
    clock,
    outer,
    late,
  }: { ms: number; clock: Clock; outer?: AbortSignal | undefined; late: () => string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const ended = new AbortController();
  const either = (one: AbortController) => (outer ? AbortSignal.any([one.signal, outer]) : one.signal);
  const signal = either(over);
  const waited = clock.sleep(ms, either(ended)).then(() => {
    over.abort();
    throw new RotationError("unclear", outer?.aborted ? "it was stopped" : late());
  });
  const working = work(signal);
  try {
    return await Promise.race([working, waited]);
  } finally {
    ended.abort();
    // Whichever has lost the race has nobody left to tell.
    waited.catch(() => {});
    working.catch(() => {});
  }
}
