import type { CommanderError } from "commander";

/**
 * What commander found wrong, in our form; undefined for help and version, which also come as errors.
 * `commands` are the program's, as a person types them.
 */
export function usageLines(
  error: CommanderError,
  argv: readonly string[],
  commands: readonly string[],
): string | undefined {
  if (error.code.startsWith("commander.help") || error.code === "commander.version") return undefined;
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const hint =
    suggestion?.replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1?") ??
    fallbackHint(error, argv, commands);
  return `rotate: ${message}\n  ${hint}`;
}

function fallbackHint(error: CommanderError, argv: readonly string[], commands: readonly string[]): string {
  const word = /^error: unknown command '([a-z0-9][a-z0-9-]*)'/.exec(error.message)?.[1];
  const group = ["keys", "journal"].find((name) => argv[0] === name);
  if (word && group) return `rotate ${group} --help lists its commands`;
  if (word && argv.includes(word)) {
    return `rotate --help lists the commands; to rotate a key of that name: rotate --now ${word}`;
  }
  if (/unknown option '--now'/.test(error.message)) return "it stands alone: rotate --now [KEY...]";
  const known = error.code !== "commander.unknownCommand" && commands.includes(argv[0] ?? "");
  const path = argv.slice(0, known ? (group ? 2 : 1) : 0);
  return `${["rotate", ...path].join(" ")} --help says what is accepted`;
}
