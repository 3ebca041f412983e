import type { EventEmitter } from "node:events";
import type { Command } from "commander";

/** Every command that is shown, groups before what is in them. */
export function commandsOf(program: Command): Command[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .filter((command) => command.name() !== "help")
    .flatMap((command) => [command, ...commandsOf(command)]);
}

/** What stands at the end of a command's help. */
export function endOfHelp(command: Command): string {
  let text = "";
  const write = (more: string) => {
    text += more;
  };
  // Commander is an emitter, and its types do not say so.
  (command as unknown as EventEmitter).emit("afterHelp", { error: false, command, write });
  return text;
}

/** The examples of a command's help, without the prompt. */
export function examplesOf(command: Command): string[] {
  const [, examples = ""] = endOfHelp(command).split("\nExamples:\n");
  return [...examples.matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = ""]) => line);
}
