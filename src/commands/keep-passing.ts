import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Engine } from "../rotation/engine-api.ts";
import type { Progress } from "../rotation/report.ts";
import type { Health } from "../telemetry/health.ts";
import { stackOf } from "./print.ts";

export interface Passing {
  engine: Pick<Engine, "pass" | "nextWake">;
  clock: Clock;
  log: Pick<Logger, "error" | "debug">;
  /** Ends the passes after their step in hand. */
  signal: AbortSignal;
  /** The longest pause between two passes, in milliseconds: how soon a request typed elsewhere is seen. */
  heartbeat: number;
  /** Rung to begin the next pass at once. */
  bell: Bell;
  onProgress?: (progress: Progress) => void;
  /** Told how the loop fares. */
  health?: Pick<Health, "turned" | "read" | "passed">;
}

/** A pass leaves a key whose next wait is longer than this, such as a soak; a later pass comes back to it. */
const HORIZON_MS = 60_000;
/** Between two passes, however busy: a wake instant in the past must not spin. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

/** Passes over every key until the signal comes. A pass that throws is logged and tried again. */
export async function keepPassing(passing: Passing): Promise<void> {
  const { engine, clock, log, signal, bell, onProgress, health } = passing;
  const passes = new Set<Promise<void>>();
  let failures = 0;
  /** Keys that an earlier pass is still busy with are left to it, so that what falls due meanwhile starts beside them. */
  const startPass = async () => {
    try {
      const results = await engine.pass({
        deadline: Number.POSITIVE_INFINITY,
        horizon: HORIZON_MS,
        start: true,
        until: "deleted",
        signal,
        ...(onProgress ? { onProgress } : {}),
      });
      failures = 0;
      health?.passed(results);
    } catch (thrown) {
      failures += 1;
      health?.passed(asRotationError(thrown));
      logFailure(log, thrown, backoff(failures));
    }
  };
  while (!signal.aborted) {
    health?.turned();
    const pass = startPass().finally(() => passes.delete(pass));
    passes.add(pass);
    await bell.sleep(await pause(passing, failures), clock, signal);
  }
  await Promise.all(passes);
}

async function pause({ engine, clock, heartbeat, health }: Passing, failures: number): Promise<number> {
  if (failures > 0) return backoff(failures);
  let wake: number | undefined;
  try {
    wake = await engine.nextWake();
    health?.read();
  } catch (thrown) {
    health?.read(asRotationError(thrown));
  }
  const untilWake = wake === undefined ? heartbeat : wake - clock.now();
  return Math.max(SHORTEST_PAUSE_MS, Math.min(untilWake, heartbeat));
}

function backoff(failures: number): number {
  return Math.min(SHORTEST_PAUSE_MS * 2 ** (failures - 1), LONGEST_BACKOFF_MS);
}

function logFailure(log: Passing["log"], thrown: unknown, wait: number): void {
  const error = asRotationError(thrown);
  log.error({ code: error.code, hint: error.hint, retryInMs: wait }, `the pass failed: ${error.message}`);
  log.debug({ stack: stackOf(thrown) }, "where it failed");
}

/** A sleep that ends early when it rings, and at once when it rang since the last one. */
export class Bell {
  #rung = new AbortController();

  ring(): void {
    this.#rung.abort();
  }

  async sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
    await clock.sleep(ms, AbortSignal.any([signal, this.#rung.signal]));
    this.#rung = new AbortController();
  }
}
