import { packageVersion } from "../package.ts";
import { helpText } from "./help-text.ts";
import { wrapped } from "./wrapped.ts";

/**
 * `rotate --version`, and `rotate --help` or nothing at all: they need not know the commands. What
 * goes wrong with the output, the program tells.
 */
export function main(words: readonly string[]): void {
  const { stdout } = process;
  stdout.once("error", () => {
    import("./program.ts").then((program) => program.main(words));
  });
  const version = words[0] === "--version" || words[0] === "-V";
  stdout.write(version ? `${packageVersion()}\n` : wrapped(helpText, stdout.isTTY ? stdout.columns : 80));
}
