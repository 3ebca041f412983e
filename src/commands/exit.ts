import type { ErrorCode } from "../lib/errors.ts";
import type { KeyResult } from "../rotation/report.ts";

/** What an exit status means, everywhere: done, failed, wrong usage or invalid policy (nothing was called), work remains. */
export const EXIT = { done: 0, failed: 1, usage: 2, workRemains: 3 } as const;
export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

const BY_ERROR: Record<ErrorCode, ExitStatus> = {
  "policy-invalid": EXIT.usage,
  usage: EXIT.usage,
  unauthorized: EXIT.failed,
  forbidden: EXIT.failed,
  absent: EXIT.failed,
  rejected: EXIT.failed,
  throttled: EXIT.failed,
  unreachable: EXIT.failed,
  unclear: EXIT.failed,
  malformed: EXIT.failed,
  conflict: EXIT.failed,
  unusable: EXIT.failed,
  full: EXIT.failed,
  busy: EXIT.failed,
  "newer-version": EXIT.failed,
  internal: EXIT.failed,
};

export function exitOfError(code: ErrorCode): ExitStatus {
  return BY_ERROR[code];
}

const BY_OUTCOME: Record<KeyResult["outcome"], ExitStatus> = {
  idle: EXIT.done,
  completed: EXIT.done,
  deleted: EXIT.done,
  superseded: EXIT.done,
  reverted: EXIT.failed,
  failed: EXIT.failed,
  held: EXIT.failed,
  blocked: EXIT.failed,
  waiting: EXIT.workRemains,
};

/** The status of a pass: a failure outranks work that remains. A rollback asked for `reverted`. */
export function exitOfResults(
  results: readonly KeyResult[],
  { asked }: { asked?: KeyResult["outcome"] } = {},
): ExitStatus {
  const statuses = results.map(({ outcome }) => (outcome === asked ? EXIT.done : BY_OUTCOME[outcome]));
  if (statuses.includes(EXIT.failed)) return EXIT.failed;
  return statuses.includes(EXIT.workRemains) ? EXIT.workRemains : EXIT.done;
}
