import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Policy } from "../policy/schema.ts";
import type { Engine } from "../rotation/engine-api.ts";
import { startTicker } from "../schedule/ticker.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { logProgress } from "./log-progress.ts";
import { stackOf } from "./print.ts";

export interface WorkerOptions {
  /** The longest pause between two passes, in milliseconds: how soon a request typed elsewhere is seen. */
  heartbeat: number;
}

/** A pass leaves a key whose next wait is longer than this, such as a soak; a later pass comes back to it. */
const HORIZON_MS = 60_000;
/** Between two passes, however busy: a wake instant in the past must not spin. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

/** `rotate worker`: passes over every key until a signal comes. A pass that throws is logged and tried again. */
export async function worker(context: Context, options: WorkerOptions): Promise<number> {
  const { engine, policy, clock, log, signal } = context;
  const bell = new Bell(clock, signal);
  const ticker = startTicker({
    schedules: cronSchedules(policy),
    onTick: () => bell.ring(),
    onError: (error) => log.error({ message: asRotationError(error).message }, "a tick failed"),
  });
  log.info({ installation: policy.installation, keys: policy.keys.length }, "the worker is running");
  const onProgress = logProgress(log);
  const passes = new Set<Promise<void>>();
  let failures = 0;
  /** Keys that an earlier pass is still busy with are left to it, so that what falls due meanwhile starts beside them. */
  const startPass = async () => {
    try {
      await engine.pass({
        deadline: Number.POSITIVE_INFINITY,
        horizon: HORIZON_MS,
        start: true,
        until: "deleted",
        signal,
        onProgress,
      });
      failures = 0;
    } catch (thrown) {
      failures += 1;
      logFailure(log, thrown, backoff(failures));
    }
  };
  try {
    while (!signal.aborted) {
      const pass = startPass().finally(() => passes.delete(pass));
      passes.add(pass);
      await bell.sleep(await pause(engine, clock, options.heartbeat, failures));
    }
    await Promise.all(passes);
  } finally {
    await ticker.stop();
  }
  log.info("the worker has stopped");
  return EXIT.done;
}

async function pause(engine: Engine, clock: Clock, heartbeat: number, failures: number): Promise<number> {
  if (failures > 0) return backoff(failures);
  const wake = await engine.nextWake().catch(() => undefined);
  const untilWake = wake === undefined ? heartbeat : wake - clock.now();
  return Math.max(SHORTEST_PAUSE_MS, Math.min(untilWake, heartbeat));
}

function backoff(failures: number): number {
  return Math.min(SHORTEST_PAUSE_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}

function logFailure(log: Logger, thrown: unknown, wait: number): void {
  const error = asRotationError(thrown);
  log.error({ code: error.code, hint: error.hint, retryInMs: wait }, `the pass failed: ${error.message}`);
  log.debug({ stack: stackOf(thrown) }, "where it failed");
}

function cronSchedules(policy: Policy): { expression: string; timezone: string }[] {
  return policy.keys.flatMap(({ schedule, timezone, suspend }) =>
    suspend || typeof schedule !== "string" || schedule === "none"
      ? []
      : [{ expression: schedule, timezone }],
  );
}

/** A sleep that ends early when it rings, and at once when it rang since the last one. */
class Bell {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #rung = new AbortController();

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
  }

  ring(): void {
    this.#rung.abort();
  }

  async sleep(ms: number): Promise<void> {
    await this.#clock.sleep(ms, AbortSignal.any([this.#signal, this.#rung.signal]));
    this.#rung = new AbortController();
  }
}
