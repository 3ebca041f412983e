import { spawn } from "node:child_process";
import { join } from "node:path";

export const CLI = join(import.meta.dirname, "../../src/cli.ts");

export interface RunOptions {
  cwd?: string;
  /** On top of the little that a command needs; nothing of ours leaks in. */
  env?: Record<string, string>;
  /** Standard input; empty when left out. */
  stdin?: string;
  /** Options for Node itself. */
  node?: string[];
}

export interface Ran {
  /** Exit status; undefined when a signal ended it. */
  status: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs `rotate` as a process of its own, without a terminal. */
export async function rotate(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [...(options.node ?? []), CLI, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.env },
    stdio: "pipe",
  });
  const ran: Ran = { status: undefined, stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text) => {
    ran.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text) => {
    ran.stderr += text;
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.stdin ?? "");
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...ran, status: status ?? undefined }));
  });
}

/** The whole of a run as a transcript shows it: what was typed, both streams, the status. */
export function transcript(args: readonly string[], { status, stdout, stderr }: Ran): string {
  return [`$ ${["rotate", ...args].join(" ")}`, stdout + stderr.trimEnd(), `exit ${status}`].join("\n");
}
