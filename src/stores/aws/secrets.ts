import type { Clock } from "../../lib/clock.ts";
import { asRotationError } from "../../lib/errors.ts";
import type { SecretRef } from "../store.ts";
import type { Calls, LabelMove } from "./calls.ts";
import { type Contents, recentContents } from "./contents.ts";
import { recentWrites, SETTLE_WAITS_MS } from "./recent.ts";
import { bearerOf, type Shown } from "./shown.ts";

/** The secrets of one store, with what this process has lately written to them. */
export interface AwsSecrets {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly contents: Contents;
  /** What there is, our own recent writes included: a read that lags behind them is repeated for a while. Undefined when absent. */
  describe(ref: SecretRef): Promise<Shown | undefined>;
  /** See RecentWrites. */
  wrote(ref: SecretRef, what: string, isStale: (shown: Shown | undefined) => boolean): void;
  /** Puts a label of ours on a version, away from whichever has it. */
  attach(ref: SecretRef, shown: Shown, label: string, version: string): Promise<void>;
  /** Takes a label off a version; done when it is not there. */
  detach(ref: SecretRef, label: string, version: string): Promise<void>;
}

export function awsSecrets(calls: Calls, clock: Clock): AwsSecrets {
  const recent = recentWrites(clock);

  const describe = async (ref: SecretRef) => {
    for (const wait of SETTLE_WAITS_MS) {
      const shown = await calls.describe(ref);
      if (!recent.isStale(ref.secret, shown)) return shown;
      await clock.sleep(wait);
    }
    recent.forget(ref.secret);
    return calls.describe(ref);
  };

  /** A repeat after a lost reply is refused, because what it asks for is so already. */
  const move = async (ref: SecretRef, change: LabelMove, isDone: (bearer: string | undefined) => boolean) => {
    try {
      await calls.move(ref, change);
    } catch (thrown) {
      if (asRotationError(thrown).code !== "rejected") throw thrown;
      const shown = await calls.describe(ref);
      if (!shown || !isDone(bearerOf(shown.labels, change.label))) throw thrown;
    }
  };

  return {
    calls,
    clock,
    contents: recentContents(clock),
    describe,
    wrote: (ref, what, isStale) => recent.wrote(ref.secret, what, isStale),
    attach: (ref, shown, label, version) => {
      const from = bearerOf(shown.labels, label);
      if (from === version) return Promise.resolve();
      return move(ref, { label, to: version, from }, (bearer) => bearer === version);
    },
    detach: (ref, label, version) => move(ref, { label, from: version }, (bearer) => bearer !== version),
  };
}
