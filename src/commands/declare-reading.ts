import type { Command } from "commander";
import { withEngine } from "./context.ts";
import { countOption, examples, json } from "./options.ts";
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
    .addHelpText("after", examples("rotate plan", "rotate plan payments-api --json"))
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
      examples("rotate status", "rotate status payments-api --watch", "rotate status --json"),
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
    .addHelpText("after", examples("rotate identify", "rotate identify < found-key.txt"))
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
      examples(
        "rotate validate",
        "rotate validate --policy staging.yaml --json",
        "rotate validate --online payments-api",
      ),
    )
    .action((keys: string[], options) =>
      run(async (globals) => (await import("./validate.ts")).validate(globals, keys, options)),
    );

  program
    .command("init")
    .description("write a policy to start from, or print what a policy needs in Kubernetes; calls nothing")
    .option(
      "--kubernetes-rbac",
      "print ServiceAccount, Role, RoleBinding and the empty objects that keyturn writes",
    )
    .option("--namespace <name>", "where keyturn runs (default: the journal's namespace)")
    .option("--service-account <name>", "whom keyturn runs as (default: keyturn)")
    .option("--context <name>", "the cluster, where the policy names several contexts")
    .option("--output <file>", "write there; a file that is there is never overwritten")
    .addHelpText(
      "after",
      examples(
        "rotate init",
        "rotate init --kubernetes-rbac",
        "rotate init --kubernetes-rbac --namespace keyturn | kubectl apply -f -",
      ),
    )
    .action((options) => run(async (globals) => (await import("./init.ts")).init(globals, options)));
}
