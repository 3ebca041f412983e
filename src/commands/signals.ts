import { constants } from "node:os";

const STOPS = ["SIGINT", "SIGTERM"] as const;

/** A person's or a supervisor's wish that the command end. */
export interface Interrupt {
  /** Aborted by the first signal: the step in hand is finished, nothing else is begun. */
  signal: AbortSignal;
  /**
   * From now on SIGHUP calls this and ends nothing; at once when one came before. Only where SIGHUPs
   * were asked for.
   */
  onHangup(handler: () => void): void;
  /** Gives the signals back to Node. */
  dispose(): void;
}

export interface SignalUse {
  /** Told what happens, where there is a step to finish. */
  say?: (line: string) => void;
  /** SIGHUP is a wish to reload, and not the end of a terminal. */
  reloads?: boolean;
}

/**
 * Takes over SIGINT, SIGTERM and SIGHUP. The first SIGINT or SIGTERM aborts; a second one exits at once
 * with 128 and its number, which the journal is made to survive. SIGHUP, unless it means to reload,
 * aborts too, and never exits at once: a terminal that closes sends several.
 */
export function takeSignals({ say, reloads = false }: SignalUse = {}): Interrupt {
  const controller = new AbortController();
  let reload: (() => void) | undefined;
  let hungUp = false;
  const abort = (name: string, more = "") => {
    say?.(`${name} received; finishing the step in hand${more}`);
    controller.abort();
  };
  const stop = (name: (typeof STOPS)[number]) => () => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    abort(name, " (once more to stop at once)");
  };
  const hangUp = () => {
    if (reloads) {
      hungUp = true;
      reload?.();
    } else if (!controller.signal.aborted) abort("SIGHUP");
  };
  const handlers = new Map<NodeJS.Signals, () => void>([
    ...STOPS.map((name) => [name, stop(name)] as const),
    ["SIGHUP", hangUp],
  ]);
  for (const [name, handler] of handlers) process.on(name, handler);
  return {
    signal: controller.signal,
    onHangup(handler) {
      reload = handler;
      if (hungUp) handler();
    },
    dispose: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
