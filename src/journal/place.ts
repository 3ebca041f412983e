import { RotationError } from "../lib/errors.ts";
import type { Archive } from "./archive.ts";

/**
 * Where a journal is kept, for moving it: two journals with one id must never be in use at once. So
 * a journal is moved away first, which nobody who has it open can overlook, and then read; and it
 * is filled only where there is nothing.
 */
export interface JournalPlace {
  /** For messages: `journal PATH`, `journal NAME in namespace NAMESPACE`. */
  readonly name: string;
  /** All that is held, also of one that was moved away. Throws `absent` where there is none, `unusable` where any of it is damaged. */
  read(): Promise<Archive>;
  /**
   * From now on the journal is refused to everybody, until `fill` brings the same back. May be
   * repeated. Throws `busy` while somebody who lives holds a lease, and what `read` throws; then
   * it is in use as before.
   */
  moveAway(): Promise<void>;
  /**
   * Brings a journal here, its id included. One that has not ended is refused to everybody and may
   * be repeated. Throws `conflict` where there is another, or more; `busy` while leases are held;
   * `full`. Nothing is written before all of that has been looked at.
   */
  fill(archive: Archive): Promise<Filled>;
}

export interface Filled {
  /** How many of the newest events there was room for. */
  events: number;
  /** It was moved away from here, and is back unchanged. */
  returned: boolean;
}

export function noJournal(name: string): RotationError {
  return new RotationError("absent", `there is no ${name} to export`, {
    hint: "check `journal` in the policy",
  });
}

export function leaseHeld(name: string, target: string): RotationError {
  return new RotationError("busy", `the ${name} is in use: a worker holds the lease of ${target}`, {
    hint: "stop every worker and CronJob that uses this policy, and try again",
  });
}

export function notEmpty(name: string, remedy: string): RotationError {
  return new RotationError("conflict", `the ${name} is there already and is not empty`, {
    hint: `a journal is never merged into another; ${remedy}`,
  });
}

export function movedAway(name: string): RotationError {
  return new RotationError("unusable", `the ${name} was exported to be used elsewhere`, {
    hint: "let `journal` in the policy name its new place; to use it here after all: rotate journal import FILE, with the file of that export",
  });
}
