import { packageVersion } from "../lib/package-version.ts";

/** `rotate --version` and nothing else: it need not know the commands. What goes wrong with the output, the program tells. */
export function main(words: readonly string[]): void {
  process.stdout.once("error", () => {
    import("./program.ts").then((program) => program.main(words));
  });
  process.stdout.write(`${packageVersion()}\n`);
}
