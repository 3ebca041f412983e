import type { Phase } from "../journal/document.ts";

/** Every legal move between phases. What is not here is a fault of ours and throws. */
const MOVES: Record<Phase, readonly Phase[]> = {
  planned: ["staged", "failed", "superseded"],
  staged: ["verified", "failed", "superseded"],
  verified: ["promoted", "reverting", "failed", "superseded"],
  promoted: ["confirmed", "completed", "reverting", "superseded"],
  confirmed: ["promoted", "disabled", "completed", "reverting", "superseded"],
  disabled: ["promoted", "completed", "reverting", "superseded"],
  reverting: ["reverted", "superseded"],
  completed: [],
  reverted: [],
  failed: [],
  superseded: [],
};

/** Throws when a rotation may not go from one phase to the other. */
export function assertMove(from: Phase, to: Phase): void {
  if (!MOVES[from].includes(to)) throw new Error(`illegal move from ${from} to ${to}`);
}

/** Whether the new key may be, or may have been, the store's current. From `verified` on a promotion may be on its way. */
export function mayBePromoted(phase: Phase): boolean {
  return phase === "verified" || phase === "promoted" || phase === "confirmed" || phase === "disabled";
}
