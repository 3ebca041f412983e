import { hostname, userInfo } from "node:os";
import { type Ended, type RotateOptions, rotate, type World } from "./world.ts";

/**
 * What a user sees of a run: what was typed, standard output, standard error after a bar, the exit
 * status. What differs from run to run is named: keys k1, k2 … by the order in which they appear,
 * rotations r1 …, instants TIME. Log lines are shown as a terminal would show them.
 */
export async function session(world: World, args: string[], options: RotateOptions = {}): Promise<string> {
  const ended = await rotate(world, args, options);
  return `\n${transcript(world, args, ended)}\n`;
}

export function transcript(world: World, args: string[], { stdout, stderr, status, signal }: Ended): string {
  const errors = stderr
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => `| ${logLine(line)}`);
  const lines = [
    `$ ${["rotate", ...args].join(" ")}`,
    ...(stdout === "" ? [] : [stdout.trimEnd()]),
    ...errors,
    `exit ${signal ?? status}`,
  ];
  return stable(world, lines.join("\n"));
}

function logLine(line: string): string {
  if (!line.startsWith("{")) return line;
  const { level, msg, hint } = JSON.parse(line) as { level: string; msg: string; hint?: string };
  return `${level}: ${msg}${hint === undefined ? "" : `; ${hint}`}`;
}

/** `text` with what differs from run to run replaced by names. */
export function stable({ sandbox }: World, text: string): string {
  const { PAYMENTS_URL, BILLING_URL } = sandbox.env;
  const keys = namer("k");
  const rotations = namer("r");
  return text
    .replaceAll(sandbox.folder, "DIR")
    .replaceAll(sandbox.providerUrl, "PROVIDER")
    .replaceAll(new URL(sandbox.providerUrl).host, "PROVIDER")
    .replaceAll(PAYMENTS_URL as string, "PAYMENTS")
    .replaceAll(BILLING_URL as string, "BILLING")
    .replaceAll(new URL(PAYMENTS_URL as string).host, "PAYMENTS")
    .replaceAll(new URL(BILLING_URL as string).host, "BILLING")
    .replaceAll(`${userInfo().username}@${hostname()}`, "ME@HOST")
    .replace(/sk-or-v1-\w+\.\.\.\w{4}/g, "LABEL")
    .replace(/\b([0-9a-f]{12})[0-9a-f]{52}\b/g, (_, prefix: string) => keys(prefix))
    .replace(/\b([0-9a-f]{12})…/g, (_, prefix: string) => keys(prefix))
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
    .replace(/default\/payments-api \S+ \w+/g, "NAME")
    .replace(/\b(in|after) \d+(\.\d+)?(ms|s)( \d+ms)?\b/g, "$1 TOOK")
    .replace(/\b[0-9a-f]{16}\b/g, (id) => rotations(id));
}

/** Gives each distinct text a name by the order of its appearance. */
function namer(prefix: string): (text: string) => string {
  const names = new Map<string, string>();
  return (text) => {
    const name = names.get(text) ?? `${prefix}${names.size + 1}`;
    names.set(text, name);
    return name;
  };
}
