import type { EventRecord, RequestRecord } from "../journal/document.ts";
import type { HistoryFilter } from "../journal/journal.ts";
import type { Policy } from "../policy/schema.ts";
import type { KeyPlan, KeyResult, KeyStatus, Progress } from "./report.ts";
import type { SweepOptions, SweepReport } from "./sweep/report.ts";

export interface PassOptions {
  /** Names of keys; all of the policy when left out. */
  keys?: readonly string[];
  /** Epoch milliseconds past which nothing is waited for; a wait that ends later ends the pass for that key. */
  deadline: number;
  /** Waits longer than this, in milliseconds from now, end the pass for that key too; for a worker, which comes back by itself. */
  horizon?: number;
  /** False: only finish what is in flight. */
  start: boolean;
  /** `deleted` also waits for the old key's deletion. */
  until: "completed" | "deleted";
  /** Ends the pass after the step in hand. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** What the commands call; made by the composition root over one policy, which `reload` replaces. */
export interface Engine {
  /** One reconcile pass over the keys: starts what is due, carries on what is in flight. */
  pass(options: PassOptions): Promise<KeyResult[]>;
  /**
   * Journals an operator's request for a key; a pass, ours or that of whoever holds the lease,
   * takes it up. Throws RotationError `usage` for a key that is not in the policy.
   */
  request(
    key: string,
    request: Pick<RequestRecord, "kind" | "without" | "immediately"> & { actor: string },
  ): Promise<void>;
  /** What a pass would do now; with `requested`, what it would do if that had been asked for each key. */
  plan(keys?: readonly string[], options?: { requested?: "rotate" }): Promise<KeyPlan[]>;
  status(keys?: readonly string[]): Promise<KeyStatus[]>;
  history(filter: HistoryFilter): Promise<EventRecord[]>;
  /** The key of the policy that a plaintext with this fingerprint is or was, if any. */
  identify(fingerprint: string): Promise<{ key: string; hash: string; state: string } | undefined>;
  /**
   * Looks at the provider for keys that lost rotations left there; with `remove`, deletes those that
   * are certainly lost. What could not be looked at is in the report. Throws RotationError `usage`
   * for a key that is not in the policy.
   */
  sweep(options?: SweepOptions): Promise<SweepReport>;
  /**
   * Another policy from the next step on, also in passes under way. A rotation in flight ends under the
   * policy that it began with. Throws RotationError `policy-invalid` for a policy of another installation,
   * and leaves the old one in force.
   */
  reload(policy: Policy): void;
  /** The policy in force. */
  policy(): Policy;
  /** The next instant, after now, at which the journal says that a key needs attention. */
  nextWake(): Promise<number | undefined>;
  close(): Promise<void>;
}
