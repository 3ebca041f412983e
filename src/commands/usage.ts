import type { CommanderError } from "commander";

/** What commander found wrong, in our form; undefined for help and version, which also come as errors. */
export function usageLines(error: CommanderError, argv: readonly string[]): string | undefined {
  if (error.code.startsWith("commander.help") || error.code === "commander.version") return undefined;
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const hint =
    suggestion?.replace(/^\(Did you mean (.*)\?\)$/, "did you mean $1?") ?? fallbackHint(error, argv);
  return `rotate: ${message}\n  ${hint}`;
}

function fallbackHint(error: CommanderError, argv: readonly string[]): string {
  const word = /^error: unknown command '([a-z0-9][a-z0-9-]*)'/.exec(error.message)?.[1];
  const group = ["keys", "journal"].find((name) => argv[0] === name);
  if (word && group) return `rotate ${group} --help lists its commands`;
  if (word && argv.includes(word)) {
    return `rotate --help lists the commands; to rotate a key of that name: rotate --now ${word}`;
  }
  if (/unknown option '--now'/.test(error.message)) return "it stands alone: rotate --now [KEY...]";
  const [first, second] = argv;
  const subcommand = group && error.code !== "commander.unknownCommand" ? second : undefined;
  return `rotate ${subcommand ? `${first} ${subcommand} ` : ""}--help says what is accepted`;
}
