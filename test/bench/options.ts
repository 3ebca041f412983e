import { parseArgs } from "node:util";
import type { Size } from "./report.ts";

export interface BenchOptions {
  runs: number;
  /** Names of sections, in the order in which they run. */
  sections: string[];
  size: Size;
  /** Whether the results go into the README. */
  write: boolean;
}

export const USAGE = "npm run bench -- [--runs N] [--only SECTION…] [--large | --small] [--no-write]";

/** What was asked for on the command line. Throws an Error that says what is wrong with it. */
export function benchOptions(argv: readonly string[], known: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "11" },
      only: { type: "string", multiple: true, default: [] },
      large: { type: "boolean", default: false },
      small: { type: "boolean", default: false },
      "no-write": { type: "boolean", default: false },
    },
  });
  if (!/^[1-9]\d*$/.test(values.runs))
    throw new Error(`--runs takes a whole number from 1, not "${values.runs}"`);
  if (values.large && values.small) throw new Error("--large and --small exclude each other");
  if (positionals.length > 0 && values.only.length === 0)
    throw new Error(`"${positionals[0]}" is no option; sections are named after --only`);
  const only = [...values.only, ...positionals];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new Error(`there is no section "${unknown}"; there are: ${known.join(", ")}`);
  return {
    runs: Number(values.runs),
    sections: known.filter((name) => only.length === 0 || only.includes(name)),
    size: values.large ? "large" : values.small ? "small" : "usual",
    // Figures of tiny worlds mean nothing.
    write: !values["no-write"] && !values.small,
  };
}
