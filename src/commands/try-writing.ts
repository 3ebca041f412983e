import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Observer } from "./observer.ts";

const EVERY_MS = 60_000;

/** Tries a write of the journal and tells the observer, at most once a minute however often it is called. Throws nothing. */
export function writeTrials(
  journal: Pick<Journal, "assertWritable">,
  clock: Clock,
  observer: Observer,
): () => Promise<void> {
  let tried = Number.NEGATIVE_INFINITY;
  return async () => {
    if (Math.abs(clock.now() - tried) < EVERY_MS) return;
    tried = clock.now();
    try {
      await journal.assertWritable();
      observer.written?.();
    } catch (thrown) {
      observer.written?.(asRotationError(thrown));
    }
  };
}
