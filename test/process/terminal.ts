import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";

/** Whether there is a Python to make a pseudo-terminal with. */
export const hasTerminal = spawnSync("python3", ["-c", "import pty; pty.fork"]).status === 0;

export const ENTER = "\r";
export const DOWN = "\u001b[B";
export const CTRL_C = "\u0003";

const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]+m`);

export interface Dialogue {
  status: number;
  /** What the terminal has shown, without colours and movements. */
  output: string;
  colored: boolean;
}

/** Runs a command in a pseudo-terminal; each step waits for a text and types an answer. */
export async function inTerminal(
  command: readonly string[],
  steps: readonly (readonly [expected: string, typed: string])[],
  { env, cwd }: { env: NodeJS.ProcessEnv; cwd: string },
): Promise<Dialogue> {
  const child = spawn("python3", [join(import.meta.dirname, "terminal.py")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  child.stdin.end(JSON.stringify({ command, steps, env: { ...env, TERM: "xterm" }, cwd }));
  const { status, output, missing } = JSON.parse(await text(child.stdout));
  const shown = stripVTControlCharacters(output).replaceAll("\r\n", "\n");
  if (missing !== null) throw new Error(`the terminal never showed ${JSON.stringify(missing)}:\n${shown}`);
  return { status, output: shown, colored: COLOUR.test(output) };
}
