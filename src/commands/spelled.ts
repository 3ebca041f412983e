import type { Command } from "commander";

/** How a person types a command: `rotate --now` is the command `now`. */
export function spelled(command: Command): string {
  return command.name() === "now" ? "--now" : command.name();
}

/** `rotate keys list`. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${spelled(command)}` : command.name();
}
