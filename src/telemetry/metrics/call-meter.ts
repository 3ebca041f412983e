import type { ErrorCode } from "../../lib/errors.ts";

/** The two kinds of service that are called, by their names in the policy. */
export type Called = "provider" | "store";

export interface FinishedCall {
  kind: Called;
  /** In the policy. */
  name: string;
  /** The method's name: `list`, `promote` … */
  operation: string;
  outcome: "ok" | ErrorCode;
  /** With everything that was waited for inside: turns, repetitions. */
  ms: number;
}

/** Told of the calls to providers and stores; throws nothing. */
export interface CallMeter {
  called(call: FinishedCall): void;
  /** `ms` were waited because a rate limit asked for it. */
  throttled(kind: Called, name: string, ms: number): void;
}

/** A place for a meter: clients are made before it is known whether anybody measures them. */
export class MeterPoint implements CallMeter {
  #meter: CallMeter | undefined;

  attach(meter: CallMeter): void {
    this.#meter = meter;
  }

  called(call: FinishedCall): void {
    this.#meter?.called(call);
  }

  throttled(kind: Called, name: string, ms: number): void {
    this.#meter?.throttled(kind, name, ms);
  }
}
