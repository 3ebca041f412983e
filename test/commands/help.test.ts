import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { placeNow } from "../../src/commands/place-now.ts";
import { build } from "../../src/commands/program.ts";
import { pathOf } from "../../src/commands/spelled.ts";
import { commandsOf, examplesOf } from "../docs/command-tree.ts";

const all = commandsOf(build(async () => {}));
const named = all.map((command): [string, Command] => [pathOf(command), command]);

/** The words of a line of shell, without what it is piped to or read from. */
function wordsOf(line: string): string[] {
  const [command = ""] = line.split(/\s+[<|>]/);
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
}

describe("the help", () => {
  it("is there for every command that the product has", () => {
    expect(named.map(([path]) => path.replace("rotate ", ""))).toEqual(
      expect.arrayContaining([
        "worker",
        "once",
        "--now",
        "plan",
        "init",
        "completion",
        "keys list",
        "journal export",
      ]),
    );
  });

  it.each(named)(
    "of %s says what it does in one line, and explains each argument and option",
    (_, command) => {
      expect(command.description()).toMatch(/^[a-z].*[^.]$/);
      for (const argument of command.registeredArguments)
        expect(argument.description, argument.name()).not.toBe("");
      for (const option of command.createHelp().visibleOptions(command))
        expect(option.description, option.flags).toMatch(/\w{3}/);
    },
  );

  it.each(named)("of %s has examples", (path, command) => {
    expect(examplesOf(command).length).toBeGreaterThanOrEqual(2);
    const other = examplesOf(command).filter(
      (line) => !line.startsWith(path) && !line.startsWith("npx keyturn"),
    );
    expect(other).toEqual([]);
  });

  it.each(all.flatMap(examplesOf))("shows what is accepted: %s", async (line) => {
    await expect(parsed(line)).resolves.toBeUndefined();
  });

  it("would not pass with an option that there is not, or a value that is not accepted", async () => {
    await expect(parsed("rotate status --forever")).rejects.toThrow("unknown option");
    await expect(parsed("rotate init --schedule")).rejects.toThrow("argument missing");
    await expect(parsed("rotate --now --deadline soon")).rejects.toThrow("invalid");
  });
});

/** Parses a line as the command would, and runs nothing. */
async function parsed(line: string): Promise<void> {
  const program = build(async () => {});
  const [, ...words] = wordsOf(line.replace(/^npx keyturn/, "rotate"));
  const names = program.commands.map((command) => command.name());
  await program.parseAsync(placeNow(words, names), { from: "user" });
}
