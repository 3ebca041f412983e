import type { Command } from "commander";
import { withEngine } from "./context.ts";
import { deadline, examples, exits, json, leaving, metricsFile, takeOver } from "./options.ts";
import type { Run } from "./program.ts";

const LIVE = { acts: true, live: true };
const PLAIN = { acts: true };
const READS = { acts: false };

/** Declares what an operator says to one key (go on, go back, distrust it), and the sweep for lost ones. */
export function declareOperator(program: Command, run: Run): void {
  program
    .command("approve")
    .argument("<KEY>", "name of the key")
    .description("let a held rotation go on")
    .option("--without <consumer>", "go on without the confirmation of this consumer")
    .addOption(takeOver())
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({ 0: "it goes on, or is done", 1: "nothing of the key is held, or it failed" })}${examples(
        "rotate approve payments-api",
        "rotate approve payments-api --without batch",
      )}`,
    )
    .action((key: string, options) =>
      run((globals) =>
        withEngine(globals, PLAIN, async (context) =>
          (await import("./approve.ts")).approve(context, key, options),
        ),
      ),
    );

  program
    .command("rollback")
    .argument("<KEY>", "name of the key")
    .description("put the previous key back and wait until every consumer uses it")
    .addOption(deadline("30m"))
    .addOption(metricsFile())
    .addOption(json())
    .addHelpText(
      "after",
      `
While a rotation is in flight, and after it as long as retire.keepDisabledFor keeps the old key.
${exits({
  0: "rolled back: every consumer uses the previous key",
  1: "failed, held or blocked, or the previous key is gone",
  3: "still in flight at the deadline or upon a signal",
})}${examples("rotate rollback payments-api", "rotate rollback payments-api --deadline 5m")}`,
    )
    .action((key: string, options) =>
      run((globals) =>
        withEngine(globals, { ...LIVE, ...leaving(options) }, async (context) =>
          (await import("./rollback.ts")).rollback(context, key, options),
        ),
      ),
    );

  program
    .command("revoke")
    .argument("<KEY>", "name of the key")
    .description("a leaked key: replace and delete everything issued before now")
    .option("--immediately", "delete first; consumers fail until they serve the replacement")
    .option("--yes", "do not ask first")
    .addOption(deadline("30m"))
    .addOption(metricsFile())
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({
        0: "replaced, and everything issued before is deleted",
        1: "failed, held or blocked, or not agreed to",
        3: "still in flight at the deadline or upon a signal",
      })}${examples("rotate revoke payments-api", "rotate revoke payments-api --immediately --yes")}`,
    )
    .action((key: string, options) =>
      run((globals) =>
        withEngine(globals, { ...LIVE, ...leaving(options) }, async (context) =>
          (await import("./revoke.ts")).revoke(context, key, options),
        ),
      ),
    );

  program
    .command("sweep")
    .argument("[KEY...]", "names of keys; all when none is given, also those that have left the policy")
    .description("find keys that lost rotations left at the provider; delete them with --yes")
    .option("--yes", "delete what is certainly lost; without it nothing is changed")
    .option("--exit-code", "exit with 3 when something was found and not deleted")
    .addOption(json())
    .addHelpText(
      "after",
      `
  lost       a rotation of this journal asked for it and never learned its plaintext: deleted with --yes
  undecided  the same, but somebody may need it, or that could not be found out: left alone
  unknown    bears a name of this installation that this journal never asked for: left alone
${exits({
  0: "searched",
  1: "something could not be searched or deleted",
  3: "with --exit-code: something was found and not deleted; or a signal came before all was deleted",
})}${examples("rotate sweep", "rotate sweep payments-api --yes", "rotate sweep --json --exit-code")}`,
    )
    .action((keys: string[], options) =>
      run((globals) =>
        withEngine(globals, options.yes ? PLAIN : READS, async (context) =>
          (await import("./sweep.ts")).sweep(context, keys, options),
        ),
      ),
    );
}
