/** Options before the command that take the next word as their value. */
const VALUED = new Set(["--policy", "--log-level"]);

/**
 * `rotate --now …` is the command `now`, spelled as an option: moves it to the front, so that it
 * has options of its own. `rotate once --now` is left as it is, to be refused as an unknown option.
 */
export function placeNow(argv: readonly string[], commands: readonly string[]): string[] {
  const options = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const at = options.indexOf("--now");
  if (at === -1) return [...argv];
  const first = options
    .slice(0, at)
    .find((word, i) => !word.startsWith("-") && !VALUED.has(options[i - 1] ?? ""));
  if (first !== undefined && commands.includes(first)) return [...argv];
  return ["now", ...argv.slice(0, at), ...argv.slice(at + 1)];
}
