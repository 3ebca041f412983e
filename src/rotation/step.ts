import type { RotationKind } from "../journal/document.ts";
import type { KeyPatch } from "../providers/provider.ts";
import type { StoredVersion } from "../stores/store.ts";
import type { HoldReason, StepReason, WaitReason } from "./reasons.ts";
import type { Question, World } from "./world.ts";

/** A look at the world: changes nothing, and what it finds becomes a fact of the pass. */
export type Look =
  | { look: "store"; field: string }
  | { look: "issued"; field: string; hash: string }
  | { look: "accepted"; field: string; hash: string }
  | { look: "list"; field: string }
  | { look: "attachments"; field: string; hash: string }
  | { look: "sweep"; field: string; question: Question };

/** A change of the journal alone. */
export type Note =
  | { note: "answer"; field: string; refused: boolean; requests: string[] }
  | {
      note: "schedule";
      field: string;
      due: { at: number; basis: string; why: "schedule" | "expiry" } | undefined;
    }
  | { note: "block"; field: string; code: HoldReason }
  | { note: "unblock"; field: string }
  | { note: "overdue"; field: string; due: number }
  | { note: "accept-current"; field: string; hash: string }
  | {
      note: "start";
      field: string;
      kind: RotationKind;
      actor: string;
      why: string;
      requests: string[];
      target?: string;
    }
  | { note: "intend" }
  /** `beneath`: what is current where the version was staged, which the store keeps from now on. */
  | {
      note: "staged";
      version: string;
      base: string;
      hash: string;
      fingerprint?: string;
      beneath?: StoredVersion;
    }
  | { note: "lost"; hash: string }
  | { note: "settle"; intent: string; as: "absent" | "issued" }
  | { note: "verified" }
  | { note: "promoted" }
  | { note: "confirmed" }
  | { note: "back-to-promoted" }
  | { note: "quiet"; usage: number; restart: boolean }
  | { note: "disabled" }
  | { note: "completed" }
  | { note: "hold"; code: HoldReason; message: string }
  | { note: "release"; why: string; waive?: string[]; requests: string[] }
  | { note: "revert"; why: string; asked: boolean; requests: string[] }
  | { note: "promoted-back"; version: string }
  | { note: "reverted" }
  | { note: "fail"; message: string; hint?: string; requests?: string[] }
  | { note: "supersede"; why: string; requests?: string[] }
  | { note: "distrust"; field: string; requests: string[]; actor: string; immediately: boolean }
  | { note: "unretire"; hash: string }
  | { note: "retire-again"; field: string; hash: string }
  | { note: "drift"; field: string; hash: string; differs: string[] }
  | { note: "walked" }
  /** A key that a rotation has staged after it had ended is on its way out. */
  | {
      note: "give-up";
      hash: string;
      name: string;
      field: string;
      version: string;
      base: string;
      fingerprint?: string;
    }
  /** Instants that lie ahead of what the clock allows count from now. */
  | { note: "clock" };

/** A change of the world outside. Each looks again before it acts, and records what it did. */
export type Effect =
  | { effect: "claim"; field: string; takeOver: boolean; requests: string[] }
  | { effect: "adopt"; field: string }
  | { effect: "take-stock"; field: string }
  | { effect: "create" }
  | { effect: "restore" }
  | { effect: "verify" }
  | { effect: "restage"; base: string }
  | { effect: "promote"; version: string; base: string }
  | { effect: "reload"; consumer: string; question: Question }
  | { effect: "apply-settings"; field: string; hash: string; patch: KeyPatch }
  | { effect: "enable"; hash: string; field: string }
  | { effect: "disable"; hash: string; field: string }
  | { effect: "delete"; hash: string; field: string }
  | { effect: "forget"; hash: string; field: string }
  | { effect: "put-back"; base: string }
  | { effect: "promote-back"; version: string; base: string }
  | { effect: "rewrite"; hash: string; field: string; base: string }
  | { effect: "delete-orphan"; hash: string; name: string; field: string };

/** The reason code of a step, and the sentence that `plan`, the log and the event log show. */
interface Why {
  reason: string;
  says: string;
}

/** One step. `also`: looks that will be needed if it goes as expected, and that are made along with it. */
export type Step = (Look | Note | Effect) & Why & { also?: readonly (Look & Why)[] };

/** What `decide` answers: the next safe step, or nothing to do before an instant. */
export type Decision =
  | { step: Step }
  | { wait: { until: number; reason: string; says: string } }
  /** A person is waited for. */
  | { parked: { reason: string; says: string; until?: number } }
  | { idle: { until?: number } };

export function step(step: Look | Note | Effect, reason: StepReason, says: string): Decision {
  return { step: { ...step, reason, says } };
}

export function wait(until: number, reason: WaitReason, says: string): Decision {
  return { wait: { until, reason, says } };
}

/** Names a look or an effect, to remember its failures by. */
export function stepKey(step: Look | Effect): string {
  if ("look" in step) {
    if (step.look === "sweep") return `sweep:${step.field}`;
    return [step.look, step.field, "hash" in step ? step.hash : ""].join(":");
  }
  const detail =
    "hash" in step ? step.hash : "consumer" in step ? step.consumer : "field" in step ? step.field : "";
  return `${step.effect}:${detail}`;
}

/** A step that has failed in this pass is waited for instead of being repeated at once, and so yields to what comes after it. */
export function patient(world: World, decision: Decision): Decision {
  if (!("step" in decision) || "note" in decision.step) return decision;
  const failure = world.failed[stepKey(decision.step)];
  if (failure === undefined || world.now >= failure.until) return decision;
  return wait(failure.until, failure.error.code, failure.error.message);
}
