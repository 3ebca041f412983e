import { messageOf, type RotationError } from "../lib/errors.ts";
import { redact } from "../lib/redact.ts";
import { formatFaults, PolicyError } from "../policy/faults.ts";

/** Writes a result to standard output, as one or more lines. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes a result to standard output as JSON, indented. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

const OWN_FAULT = "this is a fault of keyturn; --log-level debug shows where it happened";

/** An error as people are shown it: one line, and under it what to do; a policy with all its faults. Never a stack. */
export function errorLines(error: RotationError, color = false): string {
  if (error instanceof PolicyError) return `rotate: the policy is invalid\n${formatFaults(error, { color })}`;
  const hint = error.hint ?? (error.code === "internal" ? OWN_FAULT : undefined);
  return hint ? `rotate: ${error.message}\n  ${hint}` : `rotate: ${error.message}`;
}

/** The longest chain of causes that is shown. */
const DEEPEST_CAUSE = 5;

/** The stack of an error and of what caused it, redacted, for the debug level. */
export function stackOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return redact(messageOf(error));
  const stack = redact(error.stack ?? messageOf(error));
  return error.cause === undefined || depth >= DEEPEST_CAUSE
    ? stack
    : `${stack}\ncaused by ${stackOf(error.cause, depth + 1)}`;
}
