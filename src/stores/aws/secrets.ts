import type { Clock } from "../../lib/clock.ts";
import { asRotationError } from "../../lib/errors.ts";
import type { SecretRef } from "../store.ts";
import type { Calls, LabelMove } from "./calls.ts";
import { type Contents, recentContents } from "./contents.ts";
import { recentWrites, SETTLE_WAITS_MS } from "./recent.ts";
import { bearerOf, type Shown } from "./shown.ts";

/** How old a look may be that was made for the step that follows it, in milliseconds. */
const SEEN_FOR_MS = 5_000;

/** The secrets of one store, with what this process has lately written to them. */
export interface AwsSecrets {
  readonly calls: Calls;
  readonly clock: Clock;
  readonly contents: Contents;
  /** What there is, our own recent writes included: a read that lags behind them is repeated for a while. Undefined when absent. */
  describe(ref: SecretRef): Promise<Shown | undefined>;
  /**
   * What `describe` showed just now, where nothing was written since by this process. Another may have
   * written: for those whom a compare-and-swap tells of that, or whom it does not hurt.
   */
  seen(ref: SecretRef): Shown | undefined;
  /** Lets a write that nothing waits for, and that must not throw, go on behind what follows. */
  behind(ref: SecretRef, write: Promise<void>): void;
  /** Waits for what goes on behind, and forgets what is kept in memory. */
  letGo(ref: SecretRef): Promise<void>;
  /** See RecentWrites. */
  wrote(ref: SecretRef, what: string, isStale: (shown: Shown | undefined) => boolean): void;
  /** Puts a label of ours on a version, away from whichever has it. */
  attach(ref: SecretRef, shown: Shown, label: string, version: string): Promise<void>;
  /** Takes a label off a version; done when it is not there. */
  detach(ref: SecretRef, label: string, version: string): Promise<void>;
}

export function awsSecrets(unwatched: Calls, clock: Clock): AwsSecrets {
  const recent = recentWrites(clock);
  const contents = recentContents(clock);
  const looks = new Map<string, { shown: Shown | undefined; at: number }>();
  const writes = new Map<string, Promise<unknown>>();
  const calls = forgetting(unwatched, ({ secret }) => looks.delete(secret));

  const settled = async (ref: SecretRef) => {
    for (const wait of SETTLE_WAITS_MS) {
      const shown = await calls.describe(ref);
      if (!recent.isStale(ref.secret, shown)) return shown;
      await clock.sleep(wait);
    }
    recent.forget(ref.secret);
    return calls.describe(ref);
  };

  const describe = async (ref: SecretRef) => {
    const at = clock.now();
    const shown = await settled(ref);
    looks.set(ref.secret, { shown, at });
    return shown;
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
    contents,
    describe,
    seen({ secret }) {
      const look = looks.get(secret);
      return look && Math.abs(clock.now() - look.at) <= SEEN_FOR_MS ? look.shown : undefined;
    },
    behind({ secret }, write) {
      writes.set(secret, Promise.all([writes.get(secret), write]));
    },
    async letGo(ref) {
      await writes.get(ref.secret);
      writes.delete(ref.secret);
      looks.delete(ref.secret);
      contents.letGo(ref);
    },
    wrote: (ref, what, isStale) => recent.wrote(ref.secret, what, isStale),
    attach: (ref, shown, label, version) => {
      const from = bearerOf(shown.labels, label);
      if (from === version) return Promise.resolve();
      return move(ref, { label, to: version, from }, (bearer) => bearer === version);
    },
    detach: (ref, label, version) => move(ref, { label, from: version }, (bearer) => bearer !== version),
  };
}

/** The same calls; each that writes says so before it goes out. */
function forgetting(calls: Calls, writing: (ref: SecretRef) => void): Calls {
  const first =
    <Rest extends unknown[], T>(call: (ref: SecretRef, ...rest: Rest) => Promise<T>) =>
    (ref: SecretRef, ...rest: Rest) => {
      writing(ref);
      return call(ref, ...rest);
    };
  const { put, move, create, tag } = calls;
  return { ...calls, put: first(put), move: first(move), create: first(create), tag: first(tag) };
}
