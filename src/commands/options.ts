import { InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../policy/duration.ts";

/** `90s`, `15m` … as milliseconds; commander tells the person what is wrong. */
function duration(text: string): number {
  const ms = parseDuration(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError("Give a duration like 90s, 15m or 24h.");
  return ms;
}

function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError("Give a whole number from 1 on.");
  return Number(text);
}

/** An option that takes a duration; `value` is the default, if there is one, in the same notation. */
export function durationOption(flags: string, description: string, value?: string): Option {
  const option = new Option(flags, description).argParser(duration);
  return value === undefined ? option : option.default(parseDuration(value), value);
}

export function countOption(flags: string, description: string, value: number): Option {
  return new Option(flags, description).argParser(count).default(value);
}

export function deadline(value: string): Option {
  return durationOption("--deadline <duration>", "wait no longer than this for what is in flight", value);
}

export const until = () =>
  new Option("--until <event>", "what to wait for: the rotation, or also the deletion of the old key")
    .choices(["completed", "deleted"])
    .default("completed");

export const json = () => new Option("--json", "print the result as JSON on standard output");
export const metricsFile = () =>
  new Option("--metrics-file <file>", "leave metrics in this file, for node_exporter's textfile collector");
/** The file that was named with it, if one was. */
export const leaving = ({ metricsFile }: { metricsFile?: string }) =>
  metricsFile === undefined ? {} : { metricsFile };
export const takeOver = () =>
  new Option("--take-over", "take secrets over that bear the stamp of another installation or journal");

export const globals = () => [
  new Option("--policy <file>", "the policy").env("KEYTURN_POLICY").default("./rotation.yaml"),
  new Option("--log-level <level>", "how much is logged on standard error (default: info)").choices([
    "trace",
    "debug",
    "info",
    "warn",
    "error",
    "silent",
  ]),
  new Option("--no-color", "no colour; NO_COLOR in the environment does the same"),
];

/** Text for the end of a command's help. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join("\n")}\n`;
}

/** What the exit statuses of a command mean where they say more than everywhere, for the end of its help. */
export function exits(meanings: Readonly<Partial<Record<0 | 1 | 2 | 3 | 130, string>>>): string {
  const lines = Object.entries(meanings).map(([status, meaning]) => `  ${status.padEnd(3)}  ${meaning}`);
  return `\nExit status:\n${lines.join("\n")}\n`;
}
