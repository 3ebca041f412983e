import { hostname, userInfo } from "node:os";
import type { Logger } from "pino";
import type { Clock } from "../lib/clock.ts";
import { asRotationError } from "../lib/errors.ts";
import type { Random } from "../lib/random.ts";
import type { Opened, OpenOptions } from "../main.ts";
import type { PolicyNote } from "../policy/faults.ts";
import type { Policy } from "../policy/schema.ts";
import type { Engine } from "../rotation/engine-api.ts";
import { exitOfError } from "./exit.ts";
import type { Measured } from "./metrics-file.ts";
import type { Observer } from "./observer.ts";
import { errorLines, stackOf } from "./print.ts";
import { type Style, styler, wantsColor } from "./render/style.ts";
import { canDraw, openScreen, type Screen } from "./screen.ts";
import { takeSignals } from "./signals.ts";

/** The options that every command takes. */
export interface Globals {
  /** Path of rotation.yaml. */
  policy: string;
  /** Undefined when not asked for: `info`, or `warn` under a live list. */
  logLevel?: string;
  color: boolean;
}

/** What a command works with. */
export interface Context {
  /** As it was named. */
  policyFile: string;
  policy: Policy;
  /** The file's text that says it. */
  policyText: string;
  /** What the policy allows and may surprise. */
  warnings: readonly PolicyNote[];
  engine: Engine;
  clients: Opened["clients"];
  journal: Opened["journal"];
  clock: Clock;
  random: Random;
  log: Logger;
  /** Begins to measure; for the worker, which serves what it measures. */
  metrics: Opened["metrics"];
  /** Told of the command's passes, where somebody wants to know. */
  observer?: Observer;
  screen: Screen;
  /** For standard output. */
  style: Style;
  /** For the screen. */
  screenStyle: Style;
  /** Aborted by the first signal to a command that acts or watches; never otherwise. */
  signal: AbortSignal;
  /** What a SIGHUP does, where the command reloads; a handler for one that came before is called at once. */
  onHangup: (handler: () => void) => void;
  /** What the policy and the clients see of the environment. */
  env: NodeJS.ProcessEnv;
  /** Who asks, for the event log: `user@host`. */
  actor: string;
}

export interface EngineUse {
  /** The command changes things: a signal ends it between two steps. */
  acts: boolean;
  /** The command goes on until a signal comes. */
  watches?: boolean;
  /** SIGHUP means to reload the policy, and not that a terminal was closed. */
  reloads?: boolean;
  /** The command shows a live list where the terminal can. */
  live?: boolean;
  /** What the policy and the clients see of the environment; all of it when left out. */
  env?: NodeJS.ProcessEnv;
  /** Where metrics are written at the end, also of a command that failed. */
  metricsFile?: string;
}

/**
 * Opens the policy, the journal and the clients, runs a command with them and closes them again.
 * Gives the exit status; a failure of the command is told on standard error, once, and logged with
 * its stack at the debug level.
 */
export async function withEngine(
  globals: Globals,
  use: EngineUse,
  command: (context: Context) => Promise<number>,
): Promise<number> {
  const screen = await openScreen(use.live === true && globals.logLevel === undefined && canDraw());
  let say = (line: string) => screen.print(`rotate: ${line}`);
  const interrupt = use.acts
    ? takeSignals({ say: (line) => say(line), ...(use.reloads ? { reloads: true } : {}) })
    : use.watches
      ? takeSignals()
      : undefined;
  try {
    const { open, metricsWithout } = await import("../main.ts");
    const options: OpenOptions = {
      policyFile: globals.policy,
      logLevel: globals.logLevel ?? (screen.live || !use.acts ? "warn" : "info"),
      env: use.env ?? process.env,
      color: wantsColor(process.stderr, globals.color),
      pretty: process.stderr.isTTY === true,
      ...(screen.live ? { logTo: screen.log } : {}),
      mayCreate: use.acts,
    };
    /** What the command has done stays as it was said, and so does its exit status. */
    const leaveMetrics = async (file: string, measured: Measured) => {
      const { writeMetrics } = await import("./metrics-file.ts");
      await writeMetrics(measured, file).catch((thrown) => screen.print(errorLines(asRotationError(thrown))));
    };
    const opened = await open(options).catch(async (thrown) => {
      if (use.metricsFile !== undefined)
        await leaveMetrics(use.metricsFile, await metricsWithout(asRotationError(thrown)));
      throw thrown;
    });
    let metrics = use.metricsFile === undefined ? undefined : await opened.metrics({ process: false });
    // Where lines are JSON, all of them are.
    if (!options.pretty) say = (line) => opened.log.info(line);
    try {
      return await command({
        policyFile: globals.policy,
        policy: opened.policy,
        policyText: opened.policyText,
        warnings: opened.warnings,
        engine: opened.engine,
        clients: opened.clients,
        journal: opened.journal,
        clock: opened.clock,
        random: opened.random,
        log: opened.log,
        metrics: opened.metrics,
        ...(metrics && { observer: metrics }),
        screen,
        style: styler(wantsColor(process.stdout, globals.color)),
        screenStyle: styler(wantsColor(process.stderr, globals.color)),
        signal: interrupt?.signal ?? new AbortController().signal,
        onHangup: (handler) => interrupt?.onHangup(handler),
        env: options.env,
        actor: actor(),
      });
    } catch (thrown) {
      opened.log.debug({ stack: stackOf(thrown) }, "the command failed");
      const error = asRotationError(thrown);
      screen.print(errorLines(error));
      // Nothing was tried: what the command before has left still holds.
      if (error.code === "usage") metrics = undefined;
      metrics?.passed(error);
      return exitOfError(error.code);
    } finally {
      if (metrics && use.metricsFile !== undefined)
        await leaveMetrics(use.metricsFile, { metrics, random: opened.random });
      await opened.close();
    }
  } finally {
    interrupt?.dispose();
  }
}

function actor(): string {
  return `${userName()}@${hostname()}`;
}

/** A container's user may have no entry in the user database. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid${process.getuid?.() ?? ""}`;
  }
}
