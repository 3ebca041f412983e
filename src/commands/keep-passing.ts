import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Engine } from "../rotation/engine-api.ts";
import type { Bell } from "./bell.ts";
import type { Observer } from "./observer.ts";
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
  /** Called once a turn: whether the journal can be written. Throws nothing. */
  tryWriting: () => Promise<void>;
  /** Told how the loop fares. */
  observer: Observer;
}

/** A pass leaves a key whose next wait is longer than this, such as a soak; a later pass comes back to it. */
const HORIZON_MS = 60_000;
/** Between two passes, however busy: a wake instant in the past must not spin. */
const SHORTEST_PAUSE_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;

/** Passes over every key until the signal comes. A pass that throws is logged and tried again. */
export async function keepPassing(passing: Passing): Promise<void> {
  const { engine, clock, log, signal, bell, tryWriting, observer } = passing;
  const passes = new Set<Promise<void>>();
  let failures = 0;
  /** Keys that an earlier pass is still busy with are left to it, so that what falls due meanwhile starts beside them. */
  const startPass = async () => {
    const startedAt = clock.now();
    try {
      const results = await engine.pass({
        deadline: Number.POSITIVE_INFINITY,
        horizon: HORIZON_MS,
        start: true,
        until: "deleted",
        signal,
        onProgress: (progress) => observer.onProgress?.(progress),
      });
      failures = 0;
      observer.passed?.(results, clock.now() - startedAt);
    } catch (thrown) {
      failures += 1;
      observer.passed?.(asRotationError(thrown), clock.now() - startedAt);
      logFailure(log, thrown, backoff(failures));
    }
  };
  while (!signal.aborted) {
    observer.turned?.();
    const pass = startPass().finally(() => passes.delete(pass));
    passes.add(pass);
    await tryWriting();
    await bell.sleep(await pause(passing, failures), clock, signal);
  }
  await Promise.all(passes);
}

async function pause({ engine, clock, heartbeat, observer }: Passing, failures: number): Promise<number> {
  if (failures > 0) return backoff(failures);
  let wake: number | undefined;
  try {
    wake = await engine.nextWake();
    observer.read?.();
  } catch (thrown) {
    observer.read?.(asRotationError(thrown));
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
