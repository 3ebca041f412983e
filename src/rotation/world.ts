import type {
  IssuedRecord,
  PolicySnapshot,
  RequestRecord,
  RotationRecord,
  TargetDocument,
} from "../journal/document.ts";
import type { RotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import type { KeyPolicy } from "../policy/schema.ts";
import type { Expected, Sweep } from "../probes/probe.ts";
import type { Attachment, IssuedKey } from "../providers/provider.ts";
import type { SecretView } from "../stores/store.ts";

/** Something found in this pass, and when the look began. What was not looked at, or could not be read, is no fact. */
export interface Fact<T> {
  value: T;
  at: number;
}

/** A look or an effect that failed in this pass; it is not tried again before `until`. */
export interface Failure {
  error: RotationError;
  at: number;
  count: number;
  until: number;
}

/** What sweeps have shown in this pass about one question: do all consumers use this key, and none of those? */
export interface Evidence {
  field: string;
  /** Full fingerprint of the key asked for. */
  wanted: string;
  /** Fingerprints that must be gone. */
  outgoing: readonly string[];
  /** When the first sweep began, and how many there were. */
  since: number;
  sweeps: number;
  lastAt: number;
  /** Whether all had confirmed, and then one did no more or had other members: nobody is asked in haste again. */
  relapsed: boolean;
  /** By consumer. */
  consumers: Record<string, ConsumerEvidence>;
}

export interface ConsumerEvidence {
  /** Sweeps in a row with the same members, all confirming. */
  streak: number;
  /** When the latest sweep began. */
  at: number;
  last: Sweep;
}

/** How often a question was put to its consumers without a long break, by all passes of this process, and when it was last. */
export interface Asked {
  sweeps: number;
  at: number;
}

/** A question put to the consumers, as a key of {@link World.evidence}. */
export function questionKey(field: string, wanted: string, outgoing: readonly string[]): string {
  return JSON.stringify([field, wanted, [...outgoing].sort()]);
}

/** Everything that `decide` judges. It does no I/O: what is missing it asks for as a look. */
export interface World {
  now: number;
  target: string;
  /** Ourselves, as stamped beside secrets. */
  owner: Owner;
  document: TargetDocument;
  /** The present policy's keys of this target, by field. */
  policies: Readonly<Record<string, PolicySnapshot>>;
  requests: readonly RequestRecord[];
  /** False: only what is in flight is finished. */
  mayStart: boolean;
  /** A number in [0, 1) for jitter, drawn once for the step that may need it. */
  fraction: number;
  /** By field. */
  store: Readonly<Record<string, Fact<SecretView>>>;
  /** By hash: the provider's answer; undefined inside a known fact: it says there is none. */
  issued: Readonly<Record<string, Fact<IssuedKey | undefined>>>;
  /** By hash: whether the plaintext is accepted now; undefined inside: the plaintext is not kept any more. */
  accepted: Readonly<Record<string, Fact<boolean | undefined>>>;
  /** By hash: what hangs on the key at the provider, or why that is not known. */
  attachments: Readonly<Record<string, Fact<Attachment[] | { unknown: string }>>>;
  /** A complete walk of the provider's list, by provider name. */
  listed: Readonly<Record<string, Fact<IssuedKey[]>>>;
  /** By {@link questionKey}. */
  evidence: Readonly<Record<string, Evidence>>;
  /** By {@link questionKey}, for the pauses between sweeps only: it is no evidence (R3). */
  asked: ReadonlyMap<string, Asked>;
  /** By {@link stepKey}. */
  failed: Readonly<Record<string, Failure>>;
  /** Provider clock less ours in milliseconds, by provider name. */
  skewMs: Readonly<Record<string, number | undefined>>;
  /** When the latest call that the provider answered began, by provider name. */
  heard: Readonly<Record<string, number>>;
}

/** The question that the consumers of one key are asked. */
export interface Question {
  field: string;
  policy: KeyPolicy;
  /** Hash of the key that they are to use. */
  hash: string;
  wanted: string;
  outgoing: readonly string[];
}

/** A question as probes and reloads take it; `record` is what the journal holds of the key asked for, `open` the rotation that is open for its target. */
export function expectedBy(
  question: Question,
  record: IssuedRecord | undefined,
  open: RotationRecord | undefined,
): Expected {
  return {
    keyNames: [question.policy.name, ...question.policy.formerly],
    fingerprint: question.wanted,
    hash: question.hash,
    label: record?.label ?? "",
    version: record?.version ?? "",
    outgoing: question.outgoing,
    ...(open?.field === question.field ? { rotation: open.id } : {}),
  };
}
