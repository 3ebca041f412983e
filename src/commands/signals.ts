import { constants } from "node:os";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A person's or a supervisor's wish that the command end. */
export interface Interrupt {
  /** Aborted by the first signal: the step in hand is finished, nothing else is begun. */
  signal: AbortSignal;
  /** Gives the signals back to Node. */
  dispose(): void;
}

/**
 * Takes over SIGINT and SIGTERM. The first aborts, and says so through `say` where there is a step
 * to finish; a second one exits at once with 128 and its number, which the journal is made to survive.
 */
export function takeSignals(say?: (line: string) => void): Interrupt {
  const controller = new AbortController();
  const handlers = SIGNALS.map((name) => {
    const handler = () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
      say?.(`${name} received; finishing the step in hand (once more to stop at once)`);
      controller.abort();
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    signal: controller.signal,
    dispose: () => {
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}
