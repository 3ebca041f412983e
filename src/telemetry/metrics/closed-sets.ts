import type { Outcome, Phase } from "../../journal/document.ts";
import { ERROR_CODES, type ErrorCode } from "../../lib/errors.ts";
import { HOLDS } from "../../rotation/reasons.ts";
import type { KeyState } from "../../rotation/report.ts";

/** Every value that a label may have, but for names of the policy: series must not grow with what happens. */

type OpenPhase = Exclude<Phase, Outcome>;

const all = <T extends string>(members: Readonly<Record<T, true>>) => Object.keys(members) as T[];

export const STATES = all<KeyState>({
  ok: true,
  rotating: true,
  held: true,
  blocked: true,
  failed: true,
  overdue: true,
  suspended: true,
  new: true,
});

export const PHASES = all<OpenPhase>({
  planned: true,
  staged: true,
  verified: true,
  promoted: true,
  confirmed: true,
  disabled: true,
  reverting: true,
});

export const OUTCOMES = all<Outcome>({ completed: true, reverted: true, failed: true, superseded: true });

/** Why a key is held or blocked. */
export const REASONS: readonly string[] = [...Object.keys(HOLDS), ...ERROR_CODES];

/** Stands for what is in no set: a journal may be written by another version. */
export const OTHER = "other";

export const PASS_RESULTS = ["ok", "degraded", "failed"] as const;
export type PassResult = (typeof PASS_RESULTS)[number];

export const CHANNELS = ["webhook", "slack"] as const;
export type Channel = (typeof CHANNELS)[number];

export const DELIVERIES = ["delivered", "failed"] as const;
export type Delivery = (typeof DELIVERIES)[number];

const errorCodes: ReadonlySet<string> = new Set(ERROR_CODES);
const phases: ReadonlySet<string> = new Set(PHASES);
const outcomes: ReadonlySet<string> = new Set(OUTCOMES);
const reasons: ReadonlySet<string> = new Set(REASONS);

export const isErrorCode = (code: string): code is ErrorCode => errorCodes.has(code);
export const isOpenPhase = (phase: Phase): phase is OpenPhase => phases.has(phase);
export const isOutcome = (phase: Phase): phase is Outcome => outcomes.has(phase);
export const reasonLabel = (reason: string): string => (reasons.has(reason) ? reason : OTHER);
