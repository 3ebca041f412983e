import { schedule } from "node-cron";

export interface Ticker {
  /** No tick starts after this; resolves when the timers are gone. A tick under way is not waited for. */
  stop(): Promise<void>;
}

export interface TickerOptions {
  /** Cron expressions at which somebody wants to be woken; the same one twice counts once. */
  schedules: readonly { expression: string; timezone: string }[];
  /** Looks whether something is due. Not called again while it runs on behalf of the same schedule. */
  onTick: () => void | Promise<void>;
  /** Told what `onTick` threw. */
  onError?: (error: unknown) => void;
}

const HEARTBEAT = { expression: "* * * * *", timezone: "Etc/UTC" };
const silent = { info() {}, warn() {}, error() {}, debug() {} };

/**
 * Wakes the worker at each schedule and once a minute. A tick says only "look now": what is due
 * stands in the journal, so a tick that is missed, late or doubled does no harm. Errors of
 * `onTick` end with `onError`.
 */
export function startTicker({ schedules, onTick, onError }: TickerOptions): Ticker {
  const distinct = new Map(
    [...schedules, HEARTBEAT].map((entry) => [`${entry.expression}|${entry.timezone}`, entry]),
  );
  const tick = async () => {
    try {
      await onTick();
    } catch (error) {
      onError?.(error);
    }
  };
  const tasks = [...distinct.values()].map(({ expression, timezone }) =>
    schedule(expression, tick, { timezone, noOverlap: true, suppressMissedWarning: true, logger: silent }),
  );
  return {
    stop: async () => {
      await Promise.all(tasks.map((task) => task.destroy()));
    },
  };
}
