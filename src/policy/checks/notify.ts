import type { Findings } from "../findings.ts";
import type { Path } from "../tree.ts";
import type { KeyView, PolicyView } from "../view.ts";

/** Notifications are posted, with a body of ours. */
export function checkNotify(key: KeyView, view: PolicyView, findings: Findings): void {
  for (const [index, entry] of (key.policy.notify ?? []).entries()) {
    const at: Path = [...key.path, "notify", index];
    const fault = (field: string, message: string, hint?: string) =>
      findings.fault(view.tree, [...at, "http", field], message, { hint });
    const { method, body } = entry.http;
    if (method !== undefined && method !== "POST" && method !== "PUT")
      fault("method", `found ${method}; accepted for a notification: POST or PUT`);
    if (body !== undefined)
      fault("body", "a notification has its own body", "remove it; `format` chooses between json and slack");
    if (entry.on?.includes("pass") && entry.format === "slack")
      findings.note(
        view.tree,
        [...at, "on"],
        "pass posts a message after every pass; it is meant for a monitor that tells when it stays away",
      );
  }
}
