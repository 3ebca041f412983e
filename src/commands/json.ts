import type { EventRecord, UndecidedKey } from "../journal/document.ts";
import type { Fault } from "../policy/faults.ts";
import type { KeyResult, KeyStatus } from "../rotation/report.ts";
import type { SweepReport, SweptKey } from "../rotation/sweep/report.ts";

/**
 * What `--json` prints. These shapes are stable: fields may be added, none is renamed or removed.
 * Instants are ISO 8601 in UTC, durations milliseconds, hashes whole; what is unknown is left out.
 *
 *   status     { "keys": StatusJson[] }
 *   plan       { "keys": KeyPlan[], "warnings": PolicyNote[] }   also --now --dry-run
 *   history    { "events": EventJson[] }
 *   once, --now, rollback, revoke, approve  { "results": ResultJson[] }
 *   identify   { "known": boolean, "key"?, "hash"?, "state"?, "fingerprint" }
 *   journal export  { "journal", "id", "copy": boolean, "file", "targets": number, "requests": number, "events": number }
 *   journal import  { "journal", "id", "exportedAt", "returned": boolean, "targets", "requests", "events": number }
 *   sweep      { "keys": SweptKeyJson[], "known": number, "problems": SweepProblem[], "unsearched": string[] }
 *   validate   { "valid": boolean, "faults": FaultJson[], "warnings": PolicyNote[],
 *                "online"?: { "ok": boolean, "groups": CheckGroup[] } }   with --online
 */

export type FaultJson = Omit<Fault, "excerpt">;

/** `T` with the named fields as ISO 8601 instants. */
type WithInstants<T, Fields extends keyof T> = Omit<T, Fields> & {
  [F in Fields]: undefined extends T[F] ? string | undefined : string;
};

type Current = NonNullable<KeyStatus["current"]>;
type Rotation = NonNullable<KeyStatus["rotation"]>;
type Held = NonNullable<Rotation["held"]>;

export type StatusJson = Omit<
  KeyStatus,
  "current" | "rotation" | "last" | "next" | "retiring" | "undecided"
> & {
  current?: WithInstants<Current, "since" | "createdAt" | "expiresAt">;
  rotation?: Omit<WithInstants<Rotation, "startedAt" | "phaseAt" | "waitingUntil">, "held"> & {
    held?: WithInstants<Held, "since">;
  };
  last?: WithInstants<NonNullable<KeyStatus["last"]>, "at">;
  next?: WithInstants<NonNullable<KeyStatus["next"]>, "at">;
  retiring: WithInstants<KeyStatus["retiring"][number], "deleteAt">[];
  undecided?: UndecidedJson[] | undefined;
};
type UndecidedJson = WithInstants<UndecidedKey, "createdAt">;
export type EventJson = WithInstants<EventRecord, "at">;
export type ResultJson = Omit<WithInstants<KeyResult, "deleteAt">, "undecided"> & {
  undecided?: UndecidedJson[] | undefined;
};
export type SweptKeyJson = WithInstants<SweptKey, "createdAt">;

function iso(ms: number): string;
function iso(ms: number | undefined): string | undefined;
function iso(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

export function statusJson({
  current,
  rotation,
  last,
  next,
  retiring,
  undecided,
  ...rest
}: KeyStatus): StatusJson {
  return {
    ...rest,
    current: current && {
      ...current,
      since: iso(current.since),
      createdAt: iso(current.createdAt),
      expiresAt: iso(current.expiresAt),
    },
    rotation: rotation && {
      ...rotation,
      held: rotation.held && { ...rotation.held, since: iso(rotation.held.since) },
      startedAt: iso(rotation.startedAt),
      phaseAt: iso(rotation.phaseAt),
      waitingUntil: iso(rotation.waitingUntil),
    },
    last: last && {
      rotation: last.rotation,
      kind: last.kind,
      outcome: last.outcome,
      at: iso(last.at),
      message: last.message,
    },
    next: next && { ...next, at: iso(next.at) },
    retiring: retiring.map((old) => ({ ...old, deleteAt: iso(old.deleteAt) })),
    undecided: undecided?.map(undecidedJson),
  };
}

export function eventJson(event: EventRecord): EventJson {
  return { ...event, at: iso(event.at) };
}

export function resultJson(result: KeyResult): ResultJson {
  return { ...result, deleteAt: iso(result.deleteAt), undecided: result.undecided?.map(undecidedJson) };
}

function undecidedJson(key: UndecidedKey): UndecidedJson {
  return { ...key, createdAt: iso(key.createdAt) };
}

export function sweepJson({ keys, ...rest }: SweepReport) {
  const swept = keys.map((key): SweptKeyJson => ({ ...key, createdAt: iso(key.createdAt) }));
  return { keys: swept, ...rest };
}

export function faultJson({ excerpt: _, ...fault }: Fault): FaultJson {
  return fault;
}
