import { hostname, userInfo } from "node:os";
import { stripVTControlCharacters } from "node:util";
import { expect } from "vitest";
import { type Ended, type RotateOptions, rotate, type World } from "./world.ts";

/**
 * What a user sees of a run: what was typed, standard output, standard error behind a bar, the exit
 * status. Log lines are shown by level and message; those of waits are left out, since which of
 * them there are is a matter of timing. Fails when a stack trace or a colour code is in it.
 */
export async function session(world: World, args: string[], options: RotateOptions = {}): Promise<string> {
  return transcript(world, args, await rotate(world, args, options));
}

/** Several runs, one after another. */
export async function sessions(world: World, ...runs: string[][]): Promise<string> {
  const shown: string[] = [];
  for (const args of runs) shown.push(await session(world, args));
  return shown.join("\n\n");
}

export function transcript(world: World, args: string[], { stdout, stderr, status, signal }: Ended): string {
  expect(stdout + stderr).not.toMatch(/^ +at /m);
  expect(stripVTControlCharacters(stdout + stderr)).toBe(stdout + stderr);
  const lines = [
    `$ ${["rotate", ...args].join(" ")}`,
    ...(stdout === "" ? [] : [stdout.trimEnd()]),
    ...readable(stderr).map((line) => `| ${line}`),
    `exit ${signal ?? status}`,
  ];
  return stable(world, lines.join("\n"));
}

/** Lines of standard error; of a log line its level, message and hint. */
export function readable(stderr: string): string[] {
  return stderr.split("\n").flatMap((line) => {
    if (line === "") return [];
    if (!line.startsWith("{")) return [line];
    const { level, msg, hint, until } = JSON.parse(line) as Record<string, string>;
    if (until !== undefined) return [];
    return [`${level}: ${msg}${hint === undefined ? "" : `; ${hint}`}`];
  });
}

/**
 * `text` with names for what differs from run to run: DIR, PROVIDER, PAYMENTS and BILLING for the
 * sandbox's places, k1, k2 … for keys and r1 … for rotations in the order of their appearance, TIME
 * for instants, TOOK, AGO, SOON and AGE for spans.
 */
export function stable({ sandbox }: World, text: string): string {
  const places: [string, string][] = [
    [sandbox.folder, "DIR"],
    ...urls(sandbox.providerUrl, "PROVIDER"),
    ...urls(sandbox.env.PAYMENTS_URL as string, "PAYMENTS"),
    ...urls(sandbox.env.BILLING_URL as string, "BILLING"),
    [`${userInfo().username}@${hostname()}`, "ME@HOST"],
  ];
  const keys = namer("k");
  const rotations = namer("r");
  const span = String.raw`[\d.]+(?:ms|s|m|h|d)(?: [\d.]+(?:ms|s|m|h))?`;
  return places
    .reduce((result, [place, name]) => result.replaceAll(place, name), text)
    .replace(/sk-or-v1-\w+\.\.\.\w{4}/g, "LABEL")
    .replace(/keyturn\/([\w-]+)\/([\w-]+)\/[\d-]+\/[0-9a-f]+/g, "keyturn/$1/$2/DATE/ID")
    .replace(/\(journal [0-9a-f]{32}\)/g, "(journal ID)")
    .replace(/\b([0-9a-f]{12})(?:[0-9a-f]{52}\b|…)/g, (_, prefix: string) => keys(prefix))
    .replace(/\b[0-9a-f]{16}\b/g, (id) => rotations(id))
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
    .replace(/(?<=[^\s|]) {2,}/g, "  ")
    .replace(new RegExp(`(completed|rolled back) in ${span}`, "g"), "$1 in TOOK")
    .replace(new RegExp(`(completed|reverted|failed) (?:now|${span} ago)`, "g"), "$1 AGO")
    .replace(new RegExp(`(?:now|in ${span}|${span} ago) \\(TIME\\)`, "g"), "SOON (TIME)")
    .replace(new RegExp(`TIME \\((?:now|in ${span}|${span} ago)\\)`, "g"), "TIME (SOON)")
    .replace(new RegExp(`^(\\S+  [\\w: ]+)  ${span}(?=  k\\d)`, "gm"), "$1  AGE")
    .replace(/"tookMs": \d+/g, '"tookMs": TOOK');
}

function urls(url: string, name: string): [string, string][] {
  return [
    [url, name],
    [new URL(url).host, name],
  ];
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
