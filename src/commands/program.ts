import { Command, CommanderError } from "commander";
import { asRotationError, RotationError } from "../lib/errors.ts";
import { packageVersion } from "../package.ts";
import type { Globals } from "./context.ts";
import { declareActing } from "./declare-acting.ts";
import { declareCompletion } from "./declare-completion.ts";
import { declareInit } from "./declare-init.ts";
import { declareJournal } from "./declare-journal.ts";
import { declareKeys } from "./declare-keys.ts";
import { declareOperator } from "./declare-operator.ts";
import { declareReading } from "./declare-reading.ts";
import { declareSandbox } from "./declare-sandbox.ts";
import { EXIT, exitOfError } from "./exit.ts";
import { examples, globals } from "./options.ts";
import { placeNow } from "./place-now.ts";
import { errorLines, stackOf } from "./print.ts";
import { wantsColor } from "./render/style.ts";
import { pathOf, spelled } from "./spelled.ts";
import { usageLines } from "./usage.ts";

/** Runs a command with the options that every command takes, and keeps its exit status. */
export type Run = (command: (globals: Globals) => Promise<number>) => Promise<void>;

/** What a stream says whose reader has gone away, then and afterwards. */
const GONE = ["EPIPE", "ERR_STREAM_DESTROYED"];

/** The whole command: parses, runs, and ends the process with the exit status. */
export async function main(argv: readonly string[]): Promise<void> {
  // A reader that has gone away (`| head`) is nobody's fault, and a rotation goes on without it.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (!GONE.includes(error.code ?? "")) throw unwritten(error);
  });
  // Nor does it stop for its log, be the disk full or the terminal closed: lines are lost until they can be written again.
  process.stderr.on("error", () => {});
  let status: number = EXIT.done;
  const program = build(async (command) => {
    const { policy, logLevel, color } = program.opts();
    status = await command({ policy, logLevel, color });
  });
  const fail = (thrown: unknown): number => {
    const error = asRotationError(thrown);
    process.stderr.write(`${errorLines(error, wantsColor(process.stderr, program.opts().color))}\n`);
    if (["debug", "trace"].includes(program.opts().logLevel)) process.stderr.write(`${stackOf(thrown)}\n`);
    return exitOfError(error.code);
  };
  process.on("uncaughtException", (error) => process.exit(fail(error)));
  process.on("unhandledRejection", (reason) => process.exit(fail(reason)));

  try {
    const words = placeNow(
      argv,
      program.commands.map((command) => command.name()),
    );
    await program.parseAsync(words, { from: "user" });
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      const lines = usageLines(thrown, argv, program.commands.map(spelled));
      if (lines) process.stderr.write(`${lines}\n`);
      status = lines ? EXIT.usage : EXIT.done;
    } else {
      status = fail(thrown);
    }
  }
  // What a library left open must not hold the process; what was written must be out first.
  process.stdout.write("", (error?: NodeJS.ErrnoException | null) =>
    process.exit(error && !GONE.includes(error.code ?? "") ? fail(unwritten(error)) : status),
  );
}

function unwritten(cause: NodeJS.ErrnoException): RotationError {
  return new RotationError("full", `what there is to say cannot be written (${cause.code})`, {
    hint: "make room where the output goes, and run the same again",
    cause,
  });
}

/** Every command with its arguments and options; `run` is what each of them does when it is parsed. */
export function build(run: Run): Command {
  const program = new Command("rotate");
  program
    .description("Rotates LLM-router API keys with zero downtime, as rotation.yaml says.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .exitOverride()
    .configureOutput({ writeErr: (text) => process.stdout.write(text), outputError: () => {} })
    .configureHelp({
      showGlobalOptions: true,
      subcommandTerm: (command) =>
        [
          spelled(command),
          ...command.registeredArguments.map((word) => {
            const name = word.variadic ? `${word.name()}...` : word.name();
            return word.required ? name : `[${name}]`;
          }),
        ].join(" "),
      commandUsage: (command) =>
        command.parent ? `${pathOf(command)} ${command.usage()}` : "rotate [options] COMMAND",
    })
    .addHelpText(
      "after",
      `${examples("rotate --now payments-api", "rotate status", "rotate worker")}
Exit status: 0 done, 1 failed, 2 wrong usage or invalid policy (nothing was called), 3 work remains.
rotate COMMAND --help says more about a command.`,
    );
  for (const option of globals()) program.addOption(option);
  declareActing(program, run);
  declareOperator(program, run);
  declareReading(program, run);
  declareInit(program, run);
  declareKeys(program, run);
  declareJournal(program, run);
  declareSandbox(program, run);
  declareCompletion(program, run);
  return program;
}
