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
  /** What the policy allows and may surprise. */
  warnings: readonly PolicyNote[];
  engine: Engine;
  clients: Opened["clients"];
  journal: Opened["journal"];
  clock: Clock;
  random: Random;
  log: Logger;
  screen: Screen;
  /** For standard output. */
  style: Style;
  /** For the screen. */
  screenStyle: Style;
  /** Aborted by the first signal to a command that acts or watches; never otherwise. */
  signal: AbortSignal;
  /** Who asks, for the event log: `user@host`. */
  actor: string;
}

export interface EngineUse {
  /** The command changes things: a signal ends it between two steps. */
  acts: boolean;
  /** The command goes on until a signal comes. */
  watches?: boolean;
  /** The command shows a live list where the terminal can. */
  live?: boolean;
  /** What the policy and the clients see of the environment; all of it when left out. */
  env?: NodeJS.ProcessEnv;
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
  const interrupt = use.acts ? takeSignals((line) => say(line)) : use.watches ? takeSignals() : undefined;
  try {
    const { open } = await import("../main.ts");
    const options: OpenOptions = {
      policyFile: globals.policy,
      logLevel: globals.logLevel ?? (screen.live || !use.acts ? "warn" : "info"),
      env: use.env ?? process.env,
      color: wantsColor(process.stderr, globals.color),
      pretty: process.stderr.isTTY === true,
      ...(screen.live ? { logTo: screen.log } : {}),
      mayCreate: use.acts,
    };
    const opened = await open(options);
    // Where lines are JSON, all of them are.
    if (!options.pretty) say = (line) => opened.log.info(line);
    try {
      return await command({
        policyFile: globals.policy,
        policy: opened.policy,
        warnings: opened.warnings,
        engine: opened.engine,
        clients: opened.clients,
        journal: opened.journal,
        clock: opened.clock,
        random: opened.random,
        log: opened.log,
        screen,
        style: styler(wantsColor(process.stdout, globals.color)),
        screenStyle: styler(wantsColor(process.stderr, globals.color)),
        signal: interrupt?.signal ?? new AbortController().signal,
        actor: actor(),
      });
    } catch (thrown) {
      opened.log.debug({ stack: stackOf(thrown) }, "the command failed");
      const error = asRotationError(thrown);
      screen.print(errorLines(error));
      return exitOfError(error.code);
    } finally {
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
