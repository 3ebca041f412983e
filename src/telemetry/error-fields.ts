import { messageOf } from "../lib/errors.ts";
import { redact } from "../lib/redact.ts";

/** An error as logged. */
export interface ErrorFields {
  type: string;
  code?: string;
  message: string;
  hint?: string;
  /** Only at levels debug and trace. */
  stack?: string;
  cause?: ErrorFields;
}

/** The longest chain of causes that is shown. */
const DEEPEST_CAUSE = 5;
/** The longest text of each field, in characters; what an error quotes may be of any length. */
const LONGEST_TEXT = 2_000;

/** Serializes whatever was thrown, and never throws itself; `withStack` for levels at which a person debugs. */
export function errorFields(thrown: unknown, withStack: boolean, depth = 0): ErrorFields {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: bounded(messageOf(thrown)) };
  const [name, code, hint, stack, cause] = ["name", "code", "hint", "stack", "cause"].map((field) =>
    readField(thrown, field),
  );
  return {
    type: typeof name === "string" ? bounded(name) : "Error",
    ...(typeof code === "string" && { code: bounded(code) }),
    message: bounded(messageOf(thrown)),
    ...(typeof hint === "string" && { hint: bounded(hint) }),
    ...(withStack && typeof stack === "string" && { stack: bounded(stack) }),
    ...(cause !== undefined &&
      depth + 1 < DEEPEST_CAUSE && { cause: errorFields(cause, withStack, depth + 1) }),
  };
}

/** A field of what was thrown; undefined where reading it throws in turn. */
function readField(thrown: object, name: string): unknown {
  try {
    return (thrown as Record<string, unknown>)[name];
  } catch {
    return undefined;
  }
}

/** Redacted before it is cut: half a password at the cut would not be recognised. */
function bounded(text: string): string {
  const safe = redact(text);
  return safe.length <= LONGEST_TEXT ? safe : `${safe.slice(0, LONGEST_TEXT)}…`;
}
