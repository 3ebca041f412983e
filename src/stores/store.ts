import type { Check } from "../lib/check.ts";
import type { Owner } from "../lib/owner.ts";
import type { Secret } from "../lib/secret.ts";

/** A place in a store: a whole secret, or one field of a secret that is a JSON object. */
export interface SecretRef {
  secret: string;
  field?: string;
}

/** One version of the secret, seen through a SecretRef: `value` is the field's value. */
export interface StoredVersion {
  /** The store's id of the version. */
  version: string;
  /** Undefined when the secret has no such field. */
  value: Secret | undefined;
  /** Provider hash of `value`, where the store knows it. */
  hash?: string;
}

/** A version written by a rotation under a label of its own and not (yet) promoted. */
export interface StagedVersion extends StoredVersion {
  /** Id of the rotation that wrote it. */
  rotation: string;
  hash: string;
  /** What `current` was when it was written; promotion expects it still to be that. */
  base: string;
}

/** What a store shows of one secret. */
export interface SecretView {
  /**
   * Names what is current, for compare-and-swap: changes whenever current changes or is fenced,
   * by anyone; defined also when there is no current version or no secret at all.
   */
  base: string;
  /** Undefined when the secret is absent or has no current version. */
  current: StoredVersion | undefined;
  /** Versions staged by rotations, ours or not, that were not promoted yet. */
  staged: StagedVersion[];
  /** Versions that were current and are kept until they are dropped; a hash where the store knows it. */
  retained?: { version: string; hash?: string }[];
  /** The stamp beside the secret, if any. */
  owner: Owner | undefined;
  /** Somebody else's unfinished rotation of this secret, in words, if the store shows one. */
  foreign?: string;
  /** Oddities a person should know, in words. */
  warnings: string[];
}

export interface StageRequest {
  /** Id of the rotation. */
  rotation: string;
  /** Provider hash of `value`; part of the version's token, with the rotation and `base` (R9). */
  hash: string;
  value: Secret;
  /** The base whose other fields the new version keeps; fails with `conflict` when current has moved on. */
  base: string;
}

/** What can be known of a secret and of our rights to it without changing anything. */
export interface Examination {
  /** What is there; left out when it could not be read. */
  found?: {
    /** Whether there is a secret at all, be it without a current version. */
    exists: boolean;
    view: SecretView;
  };
  /** One for each right and each place that a rotation needs. */
  checks: Check[];
}

/**
 * Keeps secrets, in versions. Every method throws RotationError: `forbidden`, `throttled`,
 * `unreachable`, `unclear`, `unusable` (there, but not to be read or written), `full`,
 * `busy` (locked). Unreadable is never reported as absent. All methods may be repeated.
 */
export interface Store {
  /** The name in the policy. */
  readonly name: string;
  /** Where it is, in words, for messages and to tell that two stores are one: `file:/abs/path`. */
  readonly location: string;
  /** What there is now. Finishes a promotion that died half-way, and keeps in mind what others have written; changes no value. */
  observe(ref: SecretRef): Promise<SecretView>;
  /**
   * Stamps the owner beside the secret, making the secret's record when there is none and `create`
   * allows it (`absent` otherwise). `conflict` when another owner's stamp is there and not `takeOver`.
   */
  claim(ref: SecretRef, owner: Owner, options: { create: boolean; takeOver?: boolean }): Promise<void>;
  /**
   * Writes `value`, merged into the other fields of `base`, as a version that is not current.
   * The same rotation, hash and base again is a no-op that returns the same version.
   */
  stage(ref: SecretRef, request: StageRequest): Promise<StagedVersion>;
  /** The value of a version by its id, current, staged or retained; undefined when it is no longer kept. */
  read(ref: SecretRef, version: string): Promise<Secret | undefined>;
  /**
   * Makes a staged version current if current is still `base`; the version that was current is
   * retained until it is dropped. `conflict` when current has moved on, `absent` when the version
   * is not there. Promoting what is already current does nothing.
   */
  promote(ref: SecretRef, version: string, base: string): Promise<void>;
  /** Changes `base` without changing any value, so that every promotion that expects the old one fails (R1). Needed only when there is no current version; otherwise a rewrite does it. */
  fence(ref: SecretRef, base: string): Promise<void>;
  /**
   * Removes a version that is not current: a staged one, or one retained for rollback. Absent is done.
   * Copies of its value that the store keeps in other retained versions may go with it.
   */
  drop(ref: SecretRef, version: string): Promise<void>;
  /**
   * Nobody looks at the secret for a while: ends what is under way for it still, and forgets what is
   * kept of it in memory for the next look. Never throws.
   */
  letGo?(ref: SecretRef): Promise<void>;
  /**
   * Tries whatever a rotation of the secret needs, and changes nothing: not even what `observe`
   * would finish or make. Never throws: a failure is a check that failed.
   */
  check?(ref: SecretRef): Promise<Examination>;
}
