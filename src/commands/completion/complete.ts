import type { Command } from "commander";
import type { Globals } from "../context.ts";
import { EXIT } from "../exit.ts";
import { candidates } from "./candidates.ts";

/** `rotate complete`: a line for each word that may stand at the end of a command line. Never fails: a key press is no place for a message. */
export async function complete(
  program: Command,
  globals: Globals,
  words: readonly string[],
  { current }: { current: string },
): Promise<number> {
  try {
    const found = await candidates(program, words, current, async (file = globals.policy) =>
      (await import("../../policy/names.ts")).policyNames(file),
    );
    const lines = found.words.map(({ word, about }) => `${word}\t${about}\n`);
    process.stdout.write([...lines, ...(found.files ? [":files\n"] : [])].join(""));
  } catch {
    // Nothing is offered.
  }
  return EXIT.done;
}
