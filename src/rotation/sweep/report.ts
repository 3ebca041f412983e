/** What `rotate sweep` shows; its JSON is made of these, with instants in ISO 8601. */

export type SweepVerdict =
  /** This journal intended it, and no rotation, secret or retirement has to do with it: it may go. */
  | "lost"
  /** This journal intended it, but whether somebody needs it could not be found out, or somebody seems to. */
  | "undecided"
  /** It bears a name of this installation that this journal never intended: not ours to delete. */
  | "unknown";

/** What became of a lost key that was to be deleted. */
export type SweepOutcome =
  | "deleted"
  /** It was gone when it was looked at again, which the provider proved. */
  | "gone"
  /** Looked at again, it is not to be deleted, or not now; `message` says why. */
  | "kept"
  /** Another process holds the target's lease. */
  | "busy"
  | "failed";

/** A key found at the provider that bears a name of ours and is accounted for nowhere. */
export interface SweptKey {
  provider: string;
  hash: string;
  name: string;
  /** Name of the policy's key that it was made for, as far as its own name or the journal says. */
  key: string;
  /** The target whose rotation intended it; left out when this journal did not. */
  target?: string;
  verdict: SweepVerdict;
  why: string;
  /** What to do about it, where `--yes` is not the answer. */
  hint?: string;
  label?: string;
  disabled?: boolean;
  /** Credits spent in total, through the account's own provider keys too; left out where the provider shows none. */
  usage?: number;
  /** Epoch milliseconds. */
  createdAt?: number;
  workspaceId?: string;
  /** With removal asked for, of a lost key that was come to. */
  outcome?: SweepOutcome;
  message?: string;
}

/** Something that could not be looked at or done. */
export interface SweepProblem {
  /** The provider or the target. */
  where: string;
  code: string;
  message: string;
  hint?: string;
}

export interface SweepReport {
  keys: SweptKey[];
  /** Keys at the provider that are accounted for: issued, adopted, staged, current, being created, on their way out. */
  known: number;
  problems: SweepProblem[];
  /** Providers that earlier rotations used and that neither the policy nor the journal tells how to reach any more. */
  unsearched: string[];
}

export interface SweepOptions {
  /** Names of keys; when left out all of the policy, and those of the journal that have left it. */
  keys?: readonly string[];
  /** Who asks that lost keys be deleted; left out, nothing is changed. */
  remove?: { actor: string };
  /** Ends the sweep after the deletion in hand. */
  signal?: AbortSignal;
}
