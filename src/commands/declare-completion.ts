import { Argument, type Command } from "commander";
import { SHELLS, type Shell, scriptFor } from "./completion/scripts.ts";
import { EXIT } from "./exit.ts";
import { examples } from "./options.ts";
import type { Run } from "./program.ts";

/** Declares the completion of command lines: the script for a shell, and what the script asks. */
export function declareCompletion(program: Command, run: Run): void {
  program
    .command("completion")
    .addArgument(new Argument("<SHELL>", "the shell that is to load it").choices(SHELLS))
    .description("print a script that completes commands, options and the names of the policy's keys")
    .addHelpText(
      "after",
      `
To load it at each start of the shell, put into
  bash        ~/.bashrc:                     source <(rotate completion bash)
  zsh         ~/.zshrc, below compinit:      source <(rotate completion zsh)
  fish        ~/.config/fish/config.fish:    rotate completion fish | source
  powershell  $PROFILE:                      rotate completion powershell | Out-String | Invoke-Expression
${examples("rotate completion bash", "rotate completion zsh > ~/.zfunc/_rotate")}`,
    )
    .action((shell: Shell) =>
      run(async () => {
        process.stdout.write(`${scriptFor(shell)}\n`);
        return EXIT.done;
      }),
    );

  program
    .command("complete", { hidden: true })
    .description("what may stand at the end of a command line, for the scripts of `rotate completion`")
    .argument("[WORD...]", "the words before the cursor")
    .requiredOption("--current <word>", "the word being typed")
    .action((words: string[], options) =>
      run(async (globals) =>
        (await import("./completion/complete.ts")).complete(program, globals, words, options),
      ),
    );
}
