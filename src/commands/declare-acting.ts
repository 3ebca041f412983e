import type { Command } from "commander";
import { withEngine } from "./context.ts";
import { deadline, durationOption, examples, json, takeOver, until } from "./options.ts";
import type { Run } from "./program.ts";

const LIVE = { acts: true, live: true };
const PLAIN = { acts: true };
const LOOKING = { acts: false };

/** Declares the commands that rotate on their own account. Each is imported when it is used: help must not load a journal. */
export function declareActing(program: Command, run: Run): void {
  program
    .command("worker")
    .description("run as a daemon: rotate each key when it is due, until SIGTERM")
    .addOption(durationOption("--heartbeat <duration>", "look at least this often", "15s"))
    .addHelpText("after", examples("rotate worker", "rotate worker --policy /etc/keyturn/rotation.yaml"))
    .action((options) =>
      run((globals) =>
        withEngine(globals, PLAIN, async (context) => (await import("./worker.ts")).worker(context, options)),
      ),
    );

  program
    .command("once")
    .description("one pass: start what is due, carry on what is in flight, then exit (for cron)")
    .addOption(deadline("10m"))
    .option("--no-start", "only finish what is in flight")
    .option("--exit-code", "exit with 3 when something is still in flight")
    .addOption(takeOver())
    .addOption(json())
    .addHelpText(
      "after",
      examples("rotate once", "rotate once --deadline 4m --exit-code", "rotate once --no-start"),
    )
    .action((options) =>
      run((globals) =>
        withEngine(globals, LIVE, async (context) => (await import("./once.ts")).once(context, options)),
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
    .addOption(json())
    .addHelpText(
      "after",
      examples(
        "rotate --now payments-api",
        "rotate --now --dry-run",
        "rotate --now --until deleted --deadline 2h",
      ),
    )
    .action((keys: string[], options) =>
      run((globals) =>
        withEngine(globals, options.dryRun ? LOOKING : LIVE, async (context) =>
          (await import("./now.ts")).now(context, keys, options),
        ),
      ),
    );
}
