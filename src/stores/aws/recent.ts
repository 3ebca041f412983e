import type { Clock } from "../../lib/clock.ts";
import type { Shown } from "./shown.ts";

/** How long reads may lag behind a write of ours, in milliseconds. */
const SETTLED_AFTER_MS = 60_000;

/** Pauses between reads that lag behind, in milliseconds. */
export const SETTLE_WAITS_MS = [100, 200, 400, 800, 1_600, 3_200];

type IsStale = (shown: Shown | undefined) => boolean;

/** What this process has lately written, to tell a read that lags behind from someone else's change. */
export interface RecentWrites {
  /** After a write: `isStale` recognises the secret as it was just before it. A later write of the same `what` takes its place. */
  wrote(secret: string, what: string, isStale: IsStale): void;
  /** Whether a read shows the secret as it was before a write of ours. */
  isStale(secret: string, shown: Shown | undefined): boolean;
  /** What goes on being shown is true, whatever we wrote. */
  forget(secret: string): void;
}

export function recentWrites(clock: Clock): RecentWrites {
  const written = new Map<string, Map<string, { isStale: IsStale; until: number }>>();
  return {
    wrote(secret, what, isStale) {
      const ofSecret = written.get(secret) ?? new Map();
      ofSecret.set(what, { isStale, until: clock.now() + SETTLED_AFTER_MS });
      written.set(secret, ofSecret);
    },
    isStale(secret, shown) {
      const ofSecret = written.get(secret) ?? new Map();
      for (const [what, { until }] of ofSecret) if (until < clock.now()) ofSecret.delete(what);
      return [...ofSecret.values()].some(({ isStale }) => isStale(shown));
    },
    forget(secret) {
      written.delete(secret);
    },
  };
}
