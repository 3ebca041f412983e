import { formatDuration } from "../duration.ts";
import type { Findings } from "../findings.ts";
import { isGiven, type KeyView, type PolicyView } from "../view.ts";
import { periodOf } from "./period.ts";

/** The old key goes for a reason, and each rotation ends before the next is due. */
export function checkRetirement(key: KeyView, view: PolicyView, findings: Findings): void {
  const { consumers, retire, confirm } = key.policy;
  const at = (...path: string[]) => [...key.path, ...path];
  if (consumers === "none" && retire && !(isGiven(view, key, ["retire", "after"]) && retire.after > 0)) {
    findings.fault(
      view.tree,
      at("consumers"),
      "found none: then nothing confirms the new key, and only retire.after says how long the old one must live on",
      {
        hint: "write retire: { after: … } with the time that every user of the key needs to take the new one",
      },
    );
  }
  const period = periodOf(key, view);
  if (!period || !retire || !confirm) return;
  const longer = (value: number, path: string[], consequence: string) => {
    if (value <= period.usual) return;
    const figures = `${formatDuration(value)} is longer than the schedule's period, ${formatDuration(period.usual)}`;
    findings.note(view.tree, at(...path), `${figures}: ${consequence}`);
  };
  const soaking = Math.ceil(retire.keepDisabledFor / period.usual);
  longer(
    retire.keepDisabledFor,
    ["retire", "keepDisabledFor"],
    `up to ${soaking} disabled keys are kept at a time`,
  );
  longer(retire.after, ["retire", "after"], "the next rotation is due before the old key has gone");
  longer(
    confirm.timeout,
    ["confirm", "timeout"],
    "the next rotation waits for consumers that do not confirm",
  );
}
