import { build } from "../../src/commands/program.ts";

/** What commander prints for `rotate --help` where there are so many columns. */
export function helpAt(columns: number): string {
  const program = build(async () => {});
  let printed = "";
  program.configureOutput({
    writeOut: (text) => {
      printed += text;
    },
    getOutHelpWidth: () => columns,
    getOutHasColors: () => false,
  });
  program.outputHelp();
  return printed;
}

/** src/commands/help-text.ts: the help before it is wrapped, so that to print it nothing has to be loaded. */
export function helpModule(): string {
  const text = helpAt(Number.MAX_SAFE_INTEGER).replace(/[`\\]|\$\{/g, "\\$&");
  return `/** Made by \`npm run docs\` from the commands: edit those. */\nexport const helpText = \`${text}\`;\n`;
}
