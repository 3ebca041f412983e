import type { Command, Option } from "commander";
import type { PolicyNames } from "../../policy/names.ts";
import { spelled } from "../spelled.ts";
import { type Cursor, locate, optionsAt } from "./cursor.ts";

/** One word that may stand where the cursor is. */
export interface Candidate {
  word: string;
  /** A few words about it, for shells that show them. */
  about: string;
}

/** What may stand there: words, and names of files where the shell knows more than we do. */
export interface Candidates {
  words: Candidate[];
  files: boolean;
}

export type NamesOf = (policyFile: string | undefined) => Promise<PolicyNames>;

/**
 * What may stand at the end of a command line: `words` are those before the cursor without the
 * program's own name, `current` is the one being typed, maybe empty. The policy is read, through
 * `namesOf`, only where one of its names may stand.
 */
export async function candidates(
  program: Command,
  words: readonly string[],
  current: string,
  namesOf: NamesOf,
): Promise<Candidates> {
  // Bash takes `--option=value` apart.
  const before = words.filter((word) => word !== "=");
  const typed = current === "=" ? "" : current;
  const cursor = locate(program, before);
  const found = await at(cursor, typed, () => namesOf(cursor.policyFile));
  return { ...found, words: found.words.filter(({ word }) => word.startsWith(typed)) };
}

type Names = () => Promise<PolicyNames>;

async function at(cursor: Cursor, typed: string, names: Names): Promise<Candidates> {
  if (cursor.awaiting) return await valuesOf(cursor.awaiting, cursor, names);
  const assigned = /^(--[a-z-]+)=/.exec(typed);
  if (assigned && !cursor.operandsOnly) {
    const option = optionsAt(cursor.command).find(({ long }) => long === assigned[1]);
    const values = option ? await valuesOf(option, cursor, names) : NOTHING;
    return { ...values, words: values.words.map((one) => ({ ...one, word: `${assigned[0]}${one.word}` })) };
  }
  if (typed.startsWith("-") && !cursor.operandsOnly) return optionsFor(cursor);
  return await operandsFor(cursor, names);
}

const NOTHING: Candidates = { words: [], files: false };
const FILES: Candidates = { words: [], files: true };

function listed(words: readonly string[], about: string): Candidates {
  return { words: words.map((word) => ({ word, about })), files: false };
}

function optionsFor({ command, given }: Cursor): Candidates {
  const options = optionsAt(command).filter(
    ({ long, variadic, description }) =>
      long !== undefined && (variadic || description.includes("may be repeated") || !given.has(long)),
  );
  const words = options.map(({ long, description }) => ({ word: long ?? "", about: description }));
  return {
    words: [...words, ...commandsOf(command).filter(({ word }) => word.startsWith("-"))],
    files: false,
  };
}

function commandsOf(command: Command): Candidate[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((one) => one.name() !== "help")
    .map((one) => ({ word: spelled(one), about: one.description() }));
}

async function operandsFor({ command, operands }: Cursor, names: Names): Promise<Candidates> {
  if (command.commands.length > 0) return { words: commandsOf(command), files: false };
  const declared = command.registeredArguments;
  const argument = declared[operands.length] ?? (declared.at(-1)?.variadic ? declared.at(-1) : undefined);
  if (!argument) return NOTHING;
  if (argument.argChoices) return listed(argument.argChoices, argument.description);
  if (argument.name() === "KEY") {
    const { keys } = await names();
    return listed(
      keys.map(({ name }) => name).filter((name) => !operands.includes(name)),
      "key of the policy",
    );
  }
  return ["FILE", "COMMAND"].includes(argument.name()) ? FILES : NOTHING;
}

async function valuesOf(option: Option, { operands }: Cursor, names: Names): Promise<Candidates> {
  if (option.argChoices) return listed(option.argChoices, "");
  // `--flag <true|false>`
  const alternatives = /<(\w+(?:\|\w+)+)>/.exec(option.flags)?.[1];
  if (alternatives) return listed(alternatives.split("|"), "");
  if (/<(file|dir)>/.test(option.flags)) return FILES;
  switch (option.long) {
    case "--without": {
      const { keys } = await names();
      const consumers = keys
        .filter(({ name }) => operands.length === 0 || operands.includes(name))
        .flatMap((key) => key.consumers);
      return listed([...new Set(consumers)], "consumer");
    }
    case "--provider":
      return listed((await names()).providers, "provider of the policy");
    case "--store":
      return listed((await names()).stores, "store of the policy");
    default:
      return NOTHING;
  }
}
