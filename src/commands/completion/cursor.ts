import type { Command, Option } from "commander";
import { spelled } from "../spelled.ts";

/** Where in a command line the cursor stands. */
export interface Cursor {
  /** The command that the words before it have named, or the program. */
  command: Command;
  /** The option whose value comes next. */
  awaiting?: Option | undefined;
  /** The command's arguments so far. */
  operands: string[];
  /** Long names of the options so far. */
  given: Set<string>;
  /** Past `--`: nothing is an option any more. */
  operandsOnly: boolean;
  /** The value of --policy. */
  policyFile?: string | undefined;
}

/** Reads the words of a command line that is not finished, as the parser would, but takes anything. */
export function locate(program: Command, words: readonly string[]): Cursor {
  const cursor: Cursor = { command: program, operands: [], given: new Set(), operandsOnly: false };
  for (const word of words) step(cursor, word);
  return cursor;
}

function step(cursor: Cursor, word: string): void {
  const { awaiting, command } = cursor;
  if (awaiting) {
    if (awaiting.long === "--policy") cursor.policyFile = word;
    cursor.awaiting = undefined;
    return;
  }
  if (cursor.operandsOnly) {
    cursor.operands.push(word);
    return;
  }
  if (word === "--") {
    cursor.operandsOnly = true;
    return;
  }
  const named = command.commands.find((one) => spelled(one) === word);
  if (named) {
    cursor.command = named;
    return;
  }
  if (!word.startsWith("-")) {
    cursor.operands.push(word);
    return;
  }
  const [flag = "", value] = split(word);
  const option = optionsAt(command).find(({ long, short }) => long === flag || short === flag);
  if (!option) return;
  cursor.given.add(option.long ?? flag);
  if (value !== undefined) {
    if (option.long === "--policy") cursor.policyFile = value;
  } else if (option.required) cursor.awaiting = option;
}

function split(word: string): [string, string?] {
  const at = word.startsWith("--") ? word.indexOf("=") : -1;
  return at < 0 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}

/** What may be given to a command, with what every command takes. */
export function optionsAt(command: Command): Option[] {
  const help = command.createHelp();
  help.showGlobalOptions = true;
  const inherited = help.visibleGlobalOptions(command).filter(({ long }) => long !== "--version");
  return [...help.visibleOptions(command), ...inherited];
}
