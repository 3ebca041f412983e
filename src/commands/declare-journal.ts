import type { Command } from "commander";
import { examples, json } from "./options.ts";
import type { Run } from "./program.ts";

/** Declares `rotate journal …`: moves the journal between SQLite and Kubernetes. */
export function declareJournal(program: Command, run: Run): void {
  const journal = program
    .command("journal")
    .description("move the journal to another place: export, import")
    .addHelpText(
      "after",
      `
To move a journal: stop the workers, export, change \`journal\` in the policy, import, start the workers.
The file holds every key's state, open requests and the event log: no key, no other secret.
${examples("rotate journal export --output keyturn.journal", "rotate journal import keyturn.journal")}`,
    );

  journal
    .command("export")
    .description(
      "write the whole journal to a file, and take it out of use so that it can be imported elsewhere",
    )
    .option("--output <file>", "a new file; standard output when left out")
    .option("--copy", "for a backup: the journal stays in use")
    .addOption(json())
    .addHelpText(
      "after",
      `
Refused while a worker holds a lease. Two journals of the same identity must never be in use at once:
after an export every command refuses the old one. The export may be repeated; \`rotate journal import\`
of the same file, with the policy as it was, brings the journal back into use where it is.
${examples("rotate journal export --output keyturn.journal", "rotate journal export --copy > backup.journal")}`,
    )
    .action((options) =>
      run(async (globals) => (await import("./journal-export.ts")).exportJournal(globals, options)),
    );

  journal
    .command("import")
    .argument("<FILE>", "an exported journal; - reads it from standard input")
    .description("bring an exported journal to the place that the policy names")
    .option("--restore", "import a backup (export --copy) of a journal that is lost for good")
    .addOption(json())
    .addHelpText(
      "after",
      `
Refused where there is a journal that is not empty. The whole file is checked before anything is
written; an import that was interrupted is refused to be used, and is run again with the same file.
${examples("rotate journal import keyturn.journal", "rotate journal import backup.journal --restore")}`,
    )
    .action((file: string, options) =>
      run(async (globals) => (await import("./journal-import.ts")).importJournal(globals, file, options)),
    );
}
