import { asRotationError } from "./errors.ts";

/** One thing looked at without changing anything. */
export interface Check {
  /** What was looked at, in a word or two: `directory`, `secretsmanager:PutSecretValue`. */
  check: string;
  /** `noted`: neither good nor bad. It could not be checked, or is only to be known. */
  result: "passed" | "failed" | "noted";
  /** What was found, in one sentence, without secrets. */
  says: string;
  /** What to do about it. */
  hint?: string;
}

/** Passed with what `work` says, or failed with what it throws. */
export async function checked(check: string, work: () => string | Promise<string>): Promise<Check> {
  try {
    return { check, result: "passed", says: await work() };
  } catch (thrown) {
    return failed(check, thrown);
  }
}

export function failed(check: string, thrown: unknown): Check {
  const { message, hint } = asRotationError(thrown);
  return { check, result: "failed", says: message, ...(hint === undefined ? {} : { hint }) };
}

export function noted(check: string, says: string): Check {
  return { check, result: "noted", says };
}
