import type { Findings } from "../findings.ts";
import type { PolicyView } from "../view.ts";

/** What the policy's format has and this version does not carry out yet: said, never passed over. */
export function checkNotYet(view: PolicyView, findings: Findings): void {
  for (const { policy, path } of view.keys) {
    if (policy.notify?.length)
      findings.note(view.tree, [...path, "notify"], "this version sends no notifications yet");
  }
}
