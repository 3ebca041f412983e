import type { KubeAnswer, KubeRequest } from "../../../src/kubernetes/api.ts";
import { RotationError } from "../../../src/lib/errors.ts";
import type { KubeModel } from "./kube-model.ts";
import { Refusal } from "./refusal.ts";

/** A call as it reached the API server. */
export interface ModelCall {
  user: string;
  /** get, list, create, update, patch, delete. */
  verb: string;
  /** In the plural. */
  resource: string;
  namespace: string;
  name: string;
  request: KubeRequest;
}

type Answering = KubeAnswer | Promise<KubeAnswer>;
/** Stands around a call; `proceed` lets it take effect. */
export type Interposer = (call: ModelCall, proceed: () => Answering) => Answering;
export type Effect = (proceed: () => Answering, call: ModelCall) => Answering;
export type CallMatch =
  | Partial<Pick<ModelCall, "user" | "verb" | "resource" | "namespace" | "name">>
  | ((call: ModelCall) => boolean);

export function matches(match: CallMatch, call: ModelCall): boolean {
  if (typeof match === "function") return match(call);
  return Object.entries(match).every(([field, value]) => call[field as keyof ModelCall] === value);
}

/** Refused, with nothing done. */
export function refused(
  status: number,
  reason = "InternalError",
  { message = reason, headers = {} }: { message?: string; headers?: KubeAnswer["headers"] } = {},
): Effect {
  return () => new Refusal(status, reason, message, { headers }).answer;
}

export const tooManyRequests = (seconds = 1): Effect =>
  refused(429, "TooManyRequests", {
    message: "Too many requests, please try again later.",
    headers: { "retry-after": String(seconds) },
  });

export const serverError: Effect = refused(500, "InternalError", {
  message: "Internal error occurred: etcdserver: leader changed",
});

/** 409 as if somebody had written in between, who did not. */
export const lostRace: Effect = refused(409, "Conflict", {
  message: "Operation cannot be fulfilled: the object has been modified; please apply your changes …",
});

/** No connection: nothing went out. */
export const unreachable: Effect = () => {
  throw new RotationError("unreachable", "no connection to the API server (ECONNREFUSED)");
};

/** It had no effect, and there was no answer. */
export const timeout: Effect = () => {
  throw new RotationError("unclear", "the API server gave no answer (no answer within 10s)");
};

/** It had its effect, and the answer was lost. */
export const lostAnswer: Effect = async (proceed) => {
  await proceed();
  return timeout(proceed, undefined as never);
};

/** There is no answer, and it takes effect only later; or never, where by then it meets other trouble. */
export function landsLate(model: KubeModel, ms: number): Effect {
  return (proceed, call) => {
    void model.clock
      .sleep(ms)
      .then(() => proceed())
      .catch(() => {});
    return timeout(proceed, call);
  };
}

/** Somebody is quicker: `act` happens first. */
export function after(act: () => void): Effect {
  return (proceed) => {
    act();
    return proceed();
  };
}

/** An answer that is none of the API's. */
export function answers(status: number, body: unknown, headers: KubeAnswer["headers"] = {}): Effect {
  return () => ({ status, body, headers });
}
