import type { Command } from "commander";
import { withEngine } from "./context.ts";
import { deadline, examples, json, takeOver } from "./options.ts";
import type { Run } from "./program.ts";

const LIVE = { acts: true, live: true };
const PLAIN = { acts: true };

/** Declares what an operator says to one key: go on, go back, distrust it. */
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
      examples("rotate approve payments-api", "rotate approve payments-api --without batch"),
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
    .addOption(json())
    .addHelpText("after", examples("rotate rollback payments-api"))
    .action((key: string, options) =>
      run((globals) =>
        withEngine(globals, LIVE, async (context) =>
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
    .addOption(json())
    .addHelpText(
      "after",
      examples("rotate revoke payments-api", "rotate revoke payments-api --immediately --yes"),
    )
    .action((key: string, options) =>
      run((globals) =>
        withEngine(globals, LIVE, async (context) =>
          (await import("./revoke.ts")).revoke(context, key, options),
        ),
      ),
    );
}
