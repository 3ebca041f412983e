import type { Command } from "commander";
import { withEngine } from "./context.ts";
import { countOption, examples, exits, json } from "./options.ts";
import type { Run } from "./program.ts";

const READS = { acts: false };

/** Declares the commands that change nothing at a provider, in a store or the journal. */
export function declareReading(program: Command, run: Run): void {
  program
    .command("plan")
    .argument("[KEY...]", "names of keys; all when none is given")
    .description("what a pass would do now, step by step, and why; changes nothing")
    .option("--exit-code", "exit with 3 when there is work")
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({ 0: "said", 3: "with --exit-code: there is work" })}${examples(
        "rotate plan",
        "rotate plan payments-api --json",
      )}`,
    )
    .action((keys: string[], options) =>
      run((globals) =>
        withEngine(globals, READS, async (context) =>
          (await import("./plan.ts")).plan(context, keys, options),
        ),
      ),
    );

  program
    .command("status")
    .argument("[KEY...]", "names of keys; all when none is given")
    .description("each key: age, phase, current key, last and next rotation, what it waits for")
    .option("--watch", "keep it up to date until interrupted")
    .option("--exit-code", "exit with 1 when a key is held, failed or overdue")
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({ 0: "said", 1: "with --exit-code: a key is held, failed or overdue" })}${examples(
        "rotate status",
        "rotate status payments-api --watch",
        "rotate status --json",
      )}`,
    )
    .action((keys: string[], options) =>
      run((globals) =>
        withEngine(globals, options.watch ? { acts: false, watches: true } : READS, async (context) =>
          (await import("./status.ts")).status(context, keys, options),
        ),
      ),
    );

  program
    .command("history")
    .argument("[KEY]", "name of a key, also of one that has left the policy")
    .description("the event log, oldest first")
    .addOption(countOption("--limit <n>", "the newest so many events", 100))
    .addOption(json())
    .addHelpText("after", examples("rotate history", "rotate history payments-api --limit 20"))
    .action((key: string | undefined, options) =>
      run((globals) =>
        withEngine(globals, READS, async (context) =>
          (await import("./history.ts")).history(context, key, options),
        ),
      ),
    );

  program
    .command("identify")
    .description("say which key of the policy a found key is; it is read from standard input")
    .addOption(json())
    .addHelpText(
      "after",
      `
On a terminal it asks for the key, hidden; it is never an argument, which others could see.
${exits({ 0: "it is a key of the policy, of now or of earlier", 1: "it is unknown" })}${examples(
  "rotate identify",
  "rotate identify < found-key.txt",
)}`,
    )
    .action((options) =>
      run((globals) =>
        withEngine(globals, READS, async (context) =>
          (await import("./identify.ts")).identify(context, options),
        ),
      ),
    );

  program
    .command("validate")
    .argument("[KEY...]", "with --online: names of keys; all when none is given")
    .description("check the policy; calls nothing unless --online is given")
    .option("--online", "also try credentials, rights, secrets, probes and clocks; changes nothing")
    .addOption(json())
    .addHelpText(
      "after",
      `
With --online, of each key named: whether the management key is accepted and is one, what this user
may do, the secret and whose it is, the journal, every probe's present answer against the current key,
webhooks (a connection, no request), the server's port, and the provider's clock against ours.
${exits({
  0: "valid; with --online nothing speaks against a rotation",
  1: "with --online: a check failed",
  2: "invalid; nothing was called",
})}${examples(
  "rotate validate",
  "rotate validate --policy staging.yaml --json",
  "rotate validate --online payments-api",
)}`,
    )
    .action((keys: string[], options) =>
      run(async (globals) => (await import("./validate.ts")).validate(globals, keys, options)),
    );

  program
    .command("health")
    .description("ask the worker on this machine how it is")
    .option("--ready", "whether it can do its work, and not only whether it is alive")
    .option("--url <url>", "where the worker answers (default: as the policy says)")
    .addOption(json())
    .addHelpText(
      "after",
      `${exits({ 0: "it is well", 1: "it is not, or gives no answer" })}${examples(
        "rotate health",
        "rotate health --ready --url http://127.0.0.1:8080",
      )}`,
    )
    .action((options) => run(async (globals) => (await import("./health.ts")).health(globals, options)));
}
