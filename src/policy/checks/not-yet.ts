import type { Findings } from "../findings.ts";
import type { PolicyView } from "../view.ts";

/** What the policy's format has and this version does not carry out yet: said, never passed over. */
export function checkNotYet(view: PolicyView, findings: Findings): void {
  for (const { policy, path } of view.keys) {
    if (policy.provider !== undefined && view.providers.get(policy.provider)?.type === "arouter")
      findings.note(view.tree, [...path, "provider"], "this version cannot rotate keys of ARouter yet");
    if (policy.notify?.length)
      findings.note(view.tree, [...path, "notify"], "this version sends no notifications yet");
    if (policy.settingsDrift === "apply")
      findings.note(
        view.tree,
        [...path, "settingsDrift"],
        "this version does not change keys that are in use yet; settings take effect with the next rotation",
      );
  }
}
