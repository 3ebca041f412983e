import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Argument, Command, Option } from "commander";
import { globals } from "../../src/commands/options.ts";
import { build } from "../../src/commands/program.ts";
import { pathOf } from "../../src/commands/spelled.ts";
import { commandsOf, endOfHelp, examplesOf } from "./command-tree.ts";

const PROSE = readFileSync(join(import.meta.dirname, "commands.md"), "utf8");

/** What people wrote about each command, and about all of them, by its heading. */
export function prose(): Map<string, string> {
  const sections = PROSE.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const end = section.indexOf("\n");
      return [section.slice(0, end), section.slice(end).trim()];
    }),
  );
}

/** docs/commands.md: what the commands declare of themselves, and what is written about them. */
export function commandsReference(): string {
  const program = build(async () => {});
  const commands = commandsOf(program);
  const written = prose();
  const common = [...written].filter(([heading]) => !heading.startsWith("rotate"));
  return [
    "# Commands",
    "<!-- Made by `npm run docs` from the commands and test/docs/commands.md: edit those. -->",
    "`rotate` is the command of the package `keyturn`, which also installs it as `keyturn`. `rotate --help` lists the commands, and `rotate COMMAND --help` says what is said here.",
    table(
      ["command", "what it does"],
      commands.map((command) => [`[\`${pathOf(command)}\`](#${anchor(command)})`, command.description()]),
    ),
    "## Exit status",
    table(["status", "meaning"], STATUSES),
    "A command that says more about its exit status does so below.",
    "## Options of every command",
    optionsTable(globals()),
    ...common.flatMap(([heading, text]) => [`## ${heading}`, text]),
    ...commands.flatMap((command) => sectionOf(command, written.get(pathOf(command)) ?? "")),
  ]
    .join("\n\n")
    .concat("\n");
}

const STATUSES = [
  ["0", "done"],
  ["1", "failed: said on standard error, with what to do"],
  ["2", "wrong usage or invalid policy; nothing was called"],
  ["3", "work remains: run it again, or let a worker carry on"],
] as const;

function sectionOf(command: Command, text: string): string[] {
  const help = command.createHelp();
  const options = help.visibleOptions(command).filter(({ long }) => long !== "--help");
  const words = command.registeredArguments;
  const { details, exits } = ends(command);
  return [
    `## ${pathOf(command)}`,
    `${sentence(command.description())}`,
    fenced("text", `${pathOf(command)} ${command.usage()}`),
    ...(words.length === 0 ? [] : [table(["argument", ""], words.map(argumentRow))]),
    ...(options.length === 0 ? [] : [optionsTable(options)]),
    ...(text === "" ? [] : [text]),
    ...(details === "" ? [] : [fenced("text", details)]),
    ...(exits.length === 0 ? [] : [table(["exit status", "meaning"], exits)]),
    fenced(
      "console",
      examplesOf(command)
        .map((line) => `$ ${line}`)
        .join("\n"),
    ),
  ];
}

/** What stands at the end of the help besides the examples. */
function ends(command: Command): { details: string; exits: string[][] } {
  const [before = ""] = endOfHelp(command).split("\nExamples:\n");
  const [details = "", statuses = ""] = before.split("Exit status:\n");
  const exits = [...statuses.matchAll(/^ {2}(\d+) +(.*)$/gm)].map(([, status = "", text = ""]) => [
    status,
    text,
  ]);
  return { details: details.replace(/^\n+|\s+$/g, ""), exits };
}

function argumentRow(argument: Argument): string[] {
  const name = argument.required ? argument.name() : `[${argument.name()}]`;
  const choices = argument.argChoices ? `: ${argument.argChoices.join(", ")}` : "";
  return [`\`${name}${argument.variadic ? "…" : ""}\``, `${argument.description}${choices}`];
}

function optionsTable(options: readonly Option[]): string {
  return table(
    ["option", "what it does"],
    options.map((option) => [`\`${option.flags}\``, `${option.description}${facts(option)}`]),
  );
}

function facts({ argChoices, defaultValue, defaultValueDescription, envVar, negate }: Option): string {
  const standard = defaultValueDescription ?? defaultValue;
  const shown = [
    ...(argChoices ? [`one of ${argChoices.join(", ")}`] : []),
    ...(standard === undefined || negate ? [] : [`default: ${standard}`]),
    ...(envVar === undefined ? [] : [`or the variable ${envVar}`]),
  ];
  return shown.length === 0 ? "" : ` (${shown.join("; ")})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function fenced(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

/** As GitHub makes it from the heading. */
function anchor(command: Command): string {
  return pathOf(command)
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
}
