import type { RotationError } from "../lib/errors.ts";
import type { KeyResult, Progress } from "../rotation/report.ts";

/** Told how a worker fares, for health, metrics and the log. Each hears what it has a method for, and throws nothing. */
export interface Observer {
  /** The loop begins another turn. */
  turned?(): void;
  /** The journal was read, or could not be. */
  read?(error?: RotationError): void;
  /** A write of the journal was tried, and went through or did not. */
  written?(error?: RotationError): void;
  /** A pass has ended with these results, or was broken off; it took so many milliseconds. */
  passed?(results: readonly KeyResult[] | RotationError, tookMs: number): void;
  onProgress?(progress: Progress): void;
  /** Whether the policy in force is what its file says; `problem`, a sentence, says why not. */
  policyLoaded?(ok: boolean, problem?: string): void;
}

/** All of them as one, told in order. */
export function observers(all: readonly Observer[]): Required<Observer> {
  return {
    turned: () => all.forEach((one) => void one.turned?.()),
    read: (error) => all.forEach((one) => void one.read?.(error)),
    written: (error) => all.forEach((one) => void one.written?.(error)),
    passed: (results, tookMs) => all.forEach((one) => void one.passed?.(results, tookMs)),
    onProgress: (progress) => all.forEach((one) => void one.onProgress?.(progress)),
    policyLoaded: (ok, problem) => all.forEach((one) => void one.policyLoaded?.(ok, problem)),
  };
}
