import { schedule } from "node-cron";

export interface Schedule {
  /** Cron, of five fields. */
  expression: string;
  timezone: string;
}

export interface Ticker {
  /** Wakes at these from now on; those that stay keep their timers. */
  follow(schedules: readonly Schedule[]): void;
  /** No tick starts after this; resolves when the timers are gone. A tick under way is not waited for. */
  stop(): Promise<void>;
}

export interface TickerOptions {
  /** Cron expressions at which somebody wants to be woken; the same one twice counts once. */
  schedules: readonly Schedule[];
  /** Looks whether something is due. Not called again while it runs on behalf of the same schedule. */
  onTick: () => void | Promise<void>;
  /** Told what `onTick` threw. */
  onError?: (error: unknown) => void;
}

/**
 * More timers than this are not set: to read thousands of expressions and to keep their timers holds
 * the event loop up for longer than a tick is worth, and the heartbeat looks as well.
 */
const MOST_TIMERS = 500;

const HEARTBEAT = { expression: "* * * * *", timezone: "Etc/UTC" };
const silent = { info() {}, warn() {}, error() {}, debug() {} };

const idOf = ({ expression, timezone }: Schedule) => `${expression}|${timezone}`;

/**
 * Wakes the worker once a minute, and at each schedule where they are not too many. A tick says only
 * "look now": what is due stands in the journal, so a tick that is missed, late or doubled does no
 * harm. Errors of `onTick` end with `onError`.
 */
export function startTicker({ schedules, onTick, onError }: TickerOptions): Ticker {
  const tick = async () => {
    try {
      await onTick();
    } catch (error) {
      onError?.(error);
    }
  };
  const start = ({ expression, timezone }: Schedule) =>
    schedule(expression, tick, { timezone, noOverlap: true, suppressMissedWarning: true, logger: silent });
  let tasks = new Map<string, ReturnType<typeof start>>();
  const follow = (wanted: readonly Schedule[]) => {
    const before = tasks;
    tasks = new Map();
    const distinct = new Map([...wanted, HEARTBEAT].map((entry) => [idOf(entry), entry]));
    if (distinct.size > MOST_TIMERS) distinct.clear();
    for (const [id, entry] of distinct.set(idOf(HEARTBEAT), HEARTBEAT))
      tasks.set(id, before.get(id) ?? start(entry));
    for (const [id, task] of before) if (!tasks.has(id)) void task.destroy();
  };
  follow(schedules);
  return {
    follow,
    stop: async () => {
      await Promise.all([...tasks.values()].map((task) => task.destroy()));
    },
  };
}
