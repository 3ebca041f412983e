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

/** Serializes whatever was thrown; `withStack` for levels at which a person debugs. */
export function errorFields(thrown: unknown, withStack: boolean, depth = 0): ErrorFields {
  if (!(thrown instanceof Error)) return { type: typeof thrown, message: bounded(String(thrown)) };
  const { code, hint, cause } = thrown as Error & { code?: unknown; hint?: unknown };
  return {
    type: thrown.name,
    ...(typeof code === "string" && { code }),
    message: bounded(thrown.message),
    ...(typeof hint === "string" && { hint: bounded(hint) }),
    ...(withStack && thrown.stack !== undefined && { stack: bounded(thrown.stack) }),
    ...(cause !== undefined &&
      depth + 1 < DEEPEST_CAUSE && { cause: errorFields(cause, withStack, depth + 1) }),
  };
}

function bounded(text: string): string {
  return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;
}
