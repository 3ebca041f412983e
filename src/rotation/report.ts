import type { Outcome, Phase, RotationKind, UndecidedKey } from "../journal/document.ts";
import type { Verdict } from "../probes/probe.ts";
import type { ForeseenCalls } from "./foreseen-calls.ts";

/** What `status`, `plan`, `--now` and the live list show. The JSON of the commands is made of these; instants are ISO 8601 there. */

export interface ConsumerProgress {
  consumer: string;
  /** Sweeps in a row in which every instance confirmed, and how many are asked for. */
  streak: number;
  needed: number;
  confirmed: boolean;
  waived: boolean;
  instances: { instance: string; verdict: Verdict; detail: string }[];
  problem?: string;
}

export interface RotationStatus {
  id: string;
  kind: RotationKind;
  phase: Phase;
  /** Present while a person is waited for. */
  held?: { reason: string; message: string; since: number; hint?: string };
  direction: "forward" | "back";
  startedAt: number;
  phaseAt: number;
  actor: string;
  reason: string;
  oldHash?: string;
  newHash?: string;
  newLabel?: string;
  /** What it waits for now, and until when if that is an instant. */
  waitingFor?: string;
  waitingUntil?: number;
  error?: { code: string; message: string; hint?: string };
}

export type KeyState =
  /** Nothing to do until the next due instant. */
  | "ok"
  /** A rotation is in flight. */
  | "rotating"
  /** A rotation waits for a person. */
  | "held"
  /** Something should start and cannot; `message` says why. */
  | "blocked"
  /** The latest rotation failed or was reverted and is tried again at `nextAt`, or the key's part of the journal is damaged. */
  | "failed"
  /** Due long since (more than a day), and not started. */
  | "overdue"
  /** The policy says to leave it alone. */
  | "suspended"
  /** Not yet looked at, provisioned or adopted. */
  | "new";

export interface KeyStatus {
  key: string;
  target: string;
  field?: string;
  provider: string;
  state: KeyState;
  message?: string;
  /** Why it is held or blocked, in a word: a reason of the rotation's, or an error's code. */
  reason?: string;
  current?: {
    hash: string;
    label?: string;
    fingerprint: string;
    since: number;
    createdAt?: number;
    expiresAt?: number;
  };
  rotation?: RotationStatus;
  last?: { rotation: string; kind: RotationKind; outcome: Outcome; at: number; message?: string };
  next?: { at: number; why: "schedule" | "expiry" | "retry" };
  /** Where the current key's settings differ from the policy's, as last seen; empty for nowhere. */
  drift: string[];
  /** What a take-over could not decide, as last seen; left out when there is nothing. */
  undecided?: UndecidedKey[];
  /** Old keys on their way out. */
  retiring: { hash: string; label?: string; disabled: boolean; deleteAt: number; why: string }[];
}

export interface PlanStep {
  /** Reason code, as in the event log. */
  reason: string;
  /** What would be done, one sentence. */
  action: string;
}

export interface KeyPlan {
  key: string;
  target: string;
  /** ROTATE, PROVISION, ADOPT, CONTINUE, RETIRE, BLOCKED, NOTHING. */
  verb: "ROTATE" | "PROVISION" | "ADOPT" | "CONTINUE" | "RETIRE" | "BLOCKED" | "NOTHING";
  why: string;
  steps: PlanStep[];
  /** The fewest calls that it takes; left out where no rotation is to begin. */
  calls?: ForeseenCalls;
  /** What the plan does not prove, or what a rotation cannot carry over. */
  warnings: string[];
}

/** Told to whoever watches a pass: the live list, or the logger. */
export type Progress =
  | {
      type: "phase";
      key: string;
      rotation: string;
      phase: Phase;
      message: string;
      /** The phase before, and how long it has lasted in milliseconds; left out for a rotation that begins. */
      left?: { phase: Phase; ms: number };
      /** From the rotation's start to its end, in milliseconds; left out before the end. */
      tookMs?: number;
    }
  | { type: "consumers"; key: string; rotation: string; consumers: ConsumerProgress[] }
  | {
      type: "waiting";
      key: string;
      rotation?: string;
      phase?: Phase;
      until?: number;
      /** What is waited for, in a word. */
      reason?: string;
      why: string;
    }
  | { type: "held"; key: string; rotation: string; reason: string; message: string }
  | {
      type: "note";
      key: string;
      rotation?: string;
      level: "info" | "warn" | "error";
      message: string;
      hint?: string;
    };

/** How one key came out of a pass. */
export interface KeyResult {
  key: string;
  /** `idle`: nothing to do. `waiting`: in flight, what is left waits past the deadline. */
  outcome:
    | "idle"
    | "completed"
    | "deleted"
    | "reverted"
    | "failed"
    | "held"
    | "blocked"
    | "waiting"
    | "superseded";
  message: string;
  hint?: string;
  /** Why it could not go on, in a word: an error's code or the reason of a hold or block; `busy` while another pass has the lease. */
  code?: string;
  rotation?: string;
  kind?: RotationKind;
  oldHash?: string;
  newHash?: string;
  /** When the old hash will be deleted, if that is still to come. */
  deleteAt?: number;
  /** From the rotation's start to its end, in milliseconds. */
  tookMs?: number;
  /** What a take-over could not decide, when this pass has looked. */
  undecided?: UndecidedKey[];
  /** Another process holds the target's lease: what was asked stands in the journal and is theirs to do. */
  handedOver?: boolean;
}
