import type { Command } from "commander";
import { withEngine } from "./context.ts";
import {
  deadline,
  durationOption,
  examples,
  exits,
  json,
  leaving,
  metricsFile,
  takeOver,
  until,
} from "./options.ts";
import type { Run } from "./program.ts";

const LIVE = { acts: true, live: true };
const DAEMON = { acts: true, reloads: true };
const LOOKING = { acts: false };

/** Declares the commands that rotate on their own account. Each is imported when it is used: help must not load a journal. */
export function declareActing(program: Command, run: Run): void {
  program
    .command("worker")
    .description("run as a daemon: rotate each key when it is due, until SIGTERM")
    .addOption(durationOption("--heartbeat <duration>", "look at least this often", "15s"))
    .addHelpText(
      "after",
      `
The first SIGTERM or SIGINT finishes the step in hand, a second one exits at once; what is in flight
is carried on by the next start. SIGHUP, and a change of the file, reload the policy.
${exits({ 0: "a clean stop", 1: "it could not start", 2: "the policy is invalid" })}${examples("rotate worker", "rotate worker --policy /etc/keyturn/rotation.yaml --heartbeat 1m")}`,
    )
    .action((options) =>
      run((globals) =>
        withEngine(globals, DAEMON, async (context) =>
          (await import("./worker.ts")).worker(context, options),
        ),
      ),
    );

  program
    .command("once")
    .description("one pass: start what is due, carry on what is in flight, then exit (for cron)")
    .addOption(deadline("10m"))
    .option("--no-start", "only finish what is in flight")
    .option("--exit-code", "exit with 3 when something is still in flight")
    .addOption(takeOver())
    .addOption(metricsFile())
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({
        0: "done; without --exit-code also when something is still in flight",
        1: "a rotation failed, was rolled back, is held or blocked",
        3: "with --exit-code: something is still in flight",
      })}${examples("rotate once", "rotate once --deadline 4m --exit-code", "rotate once --no-start")}`,
    )
    .action((options) =>
      run((globals) =>
        withEngine(globals, { ...LIVE, ...leaving(options) }, async (context) =>
          (await import("./once.ts")).once(context, options),
        ),
      ),
    );

  program
    .command("now")
    .argument("[KEY...]", "names of keys; all when none is given")
    .description("rotate now, due or not, and follow to the end")
    .addOption(deadline("30m"))
    .addOption(until())
    .option("--dry-run", "print what would be done, step by step, and change nothing")
    .option("--yes", "do not ask before several unnamed keys are rotated")
    .addOption(takeOver())
    .addOption(metricsFile())
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({
        0: "completed (or, with --until deleted, the old key is deleted)",
        1: "failed, rolled back, held or blocked",
        3: "still in flight at the deadline or upon a signal; run it again, or let a worker carry on",
      })}${examples(
        "rotate --now payments-api",
        "rotate --now --dry-run",
        "rotate --now --until deleted --deadline 2h",
      )}`,
    )
    .action((keys: string[], options) =>
      run((globals) =>
        withEngine(globals, options.dryRun ? LOOKING : { ...LIVE, ...leaving(options) }, async (context) =>
          (await import("./now.ts")).now(context, keys, options),
        ),
      ),
    );
}
