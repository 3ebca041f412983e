import { inspect } from "node:util";
import { refusedByNode } from "./permissions.ts";
import { redact } from "./redact.ts";

/**
 * Every way in which something keyturn does can fail. What follows from each is decided by the
 * caller; the codes keep apart what must never be confused: *known not to have happened* from
 * *may have happened*, and *absent* from *could not be read*.
 */
export const ERROR_CODES = [
  /** The policy is invalid; nothing was called. */
  "policy-invalid",
  /** The command line is wrong; nothing was called. */
  "usage",
  /** 401: the credential is not accepted. Nothing happened. */
  "unauthorized",
  /** 403, EACCES, AccessDenied: the credential or user lacks a right. Nothing happened. */
  "forbidden",
  /** The thing asked about was answered to be absent. For a read by id only; never for a list. */
  "absent",
  /** The request was refused for its content (400, 409, 422). Nothing happened. */
  "rejected",
  /** 429 or the like. Nothing happened; `retryAfterMs` may say how long to wait. */
  "throttled",
  /** No connection was made. Nothing happened. */
  "unreachable",
  /** Timeout, reset, 5xx: what was asked may or may not have happened. */
  "unclear",
  /** An answer came whose meaning cannot be read; what was asked may have happened. */
  "malformed",
  /** Compare-and-swap lost: somebody else wrote in between. Nothing happened. */
  "conflict",
  /** What is there cannot be used: damaged, of a wrong type, of a wrong mode. Nothing happened. */
  "unusable",
  /** No space left on the device. Nothing happened that counts. */
  "full",
  /** A lock or lease is held by somebody else, or was lost. Nothing happened. */
  "busy",
  /** A file was written by a newer version of keyturn. */
  "newer-version",
  /** A fault of ours. */
  "internal",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorDetails {
  /** What to do about it, one sentence. What Node's permission model has refused, as the cause, has a hint of its own. */
  hint?: string;
  /** How long the other side asked us to wait, in milliseconds. */
  retryAfterMs?: number;
  /** HTTP status, where one was received. */
  status?: number;
  cause?: unknown;
}

/**
 * The one error class. `message` says what and where, `hint` what to do; neither holds a secret:
 * what looks like a key is taken out, also of what `inspect` shows of the causes. Both are bounded.
 */
export class RotationError extends Error {
  override readonly name = "RotationError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(shown(message), details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    const hint = refusedByNode(details.cause)?.hint ?? details.hint;
    this.hint = hint === undefined ? undefined : shown(hint);
    this.retryAfterMs = details.retryAfterMs;
    this.status = details.status;
  }

  [inspect.custom](_depth: number, options: object): string {
    return redact(inspect(this, { ...options, customInspect: false }));
  }
}

/** Longer than any sentence of ours, with what it quotes of others. */
const LONGEST = 2_000;

/** Redacted before it is cut: half a password at the cut would not be recognised. */
function shown(text: string): string {
  const safe = redact(text);
  return safe.length <= LONGEST ? safe : `${safe.slice(0, LONGEST - 1)}…`;
}

/**
 * Any thrown value as a RotationError; what is none becomes `internal` with the cause kept, but for
 * what Node's permission model refuses, which is `forbidden`.
 */
export function asRotationError(thrown: unknown): RotationError {
  if (thrown instanceof RotationError) return thrown;
  const refused = refusedByNode(thrown);
  if (refused) return new RotationError("forbidden", refused.message, { hint: refused.hint, cause: thrown });
  return new RotationError("internal", messageOf(thrown), { cause: thrown });
}

/** What a thrown value says of itself; never throws, whatever was thrown. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message : thrown);
  } catch {
    return "something that cannot be shown was thrown";
  }
}

/** Whether the call may have had its effect although it threw. */
export function mayHaveHappened(error: RotationError): boolean {
  return error.code === "unclear" || error.code === "malformed" || error.code === "internal";
}

/** What kept us from looking, after a call whose effect nobody knows: it says nothing of that call. */
export function asUnclear(error: RotationError): RotationError {
  const { code, message, hint, retryAfterMs, cause } = error;
  if (code !== "throttled" && code !== "unreachable") return error;
  return new RotationError("unclear", message, { hint, retryAfterMs, cause });
}

/** Whether trying the same again later, with nothing changed by a person, may succeed. */
export function isWeather(error: RotationError): boolean {
  return ["throttled", "unreachable", "unclear", "malformed", "conflict", "busy", "full"].includes(
    error.code,
  );
}
