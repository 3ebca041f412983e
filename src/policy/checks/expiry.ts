import { formatDuration } from "../duration.ts";
import type { Findings } from "../findings.ts";
import type { KeyView, PolicyView } from "../view.ts";
import { periodOf } from "./period.ts";

/** Keys are replaced by the schedule in time, before they expire. */
export function checkExpiry(key: KeyView, view: PolicyView, findings: Findings): void {
  const { settings } = key.policy;
  if (!settings) return;
  if (settings.expiresAfter !== undefined && settings.expiresAt !== undefined) {
    findings.fault(
      view.tree,
      [...key.path, "settings", "expiresAt"],
      "found together with expiresAfter; accepted: one of the two",
      {
        hint: "expiresAfter counts from each key's creation, expiresAt is one instant for all",
      },
    );
    return;
  }
  if (settings.expiresAfter) checkExpiresAfter(key, view, settings.expiresAfter, findings);
  if (settings.expiresAt !== undefined) checkExpiresAt(key, view, Date.parse(settings.expiresAt), findings);
}

function checkExpiresAfter(key: KeyView, view: PolicyView, life: number, findings: Findings): void {
  const { renewBefore, spread = 0, confirm, retire } = key.policy;
  const path = [...key.path, "settings", "expiresAfter"];
  const margin = renewBefore ?? Math.round(life / 3);
  const usable = life - margin;
  const sum = `${formatDuration(life)} less ${renewBefore === undefined ? "a third of it" : `renewBefore ${formatDuration(margin)}`}`;
  if (usable <= 0) {
    findings.fault(
      view.tree,
      [...key.path, "renewBefore"],
      `found ${formatDuration(margin)}, no less than expiresAfter ${formatDuration(life)}: each key would be due as soon as it is made`,
    );
    return;
  }
  const period = periodOf(key, view);
  if (period && period.shortest > usable) {
    findings.fault(
      view.tree,
      path,
      `found ${formatDuration(life)}: the schedule never decides, because its period is ${formatDuration(period.shortest)} and expiry always comes first (${sum} is ${formatDuration(usable)})`,
      {
        hint: "make expiresAfter longer, or the schedule more frequent, or write schedule: none to rotate by expiry alone",
      },
    );
  } else if (period && period.longest + spread > usable) {
    findings.note(
      view.tree,
      path,
      `expiry comes close to the schedule: up to ${formatDuration(period.longest + spread)} lie between two scheduled rotations, and a key is due by expiry after ${formatDuration(usable)} (${sum})`,
    );
  }
  const overlap = (confirm?.timeout ?? 0) + (retire?.after ?? 0);
  if (confirm && retire && overlap > margin) {
    findings.note(
      view.tree,
      path,
      `a rotation started by expiry has ${formatDuration(margin)} left, and confirm.timeout with retire.after may take ${formatDuration(overlap)}: the old key may expire while it is still in use`,
    );
  }
}

function checkExpiresAt(key: KeyView, { tree, now }: PolicyView, at: number, findings: Findings): void {
  const path = [...key.path, "settings", "expiresAt"];
  if (at <= now) {
    findings.fault(tree, path, "this instant has passed: each key would be born expired", {
      hint: "write a later one, or expiresAfter, which moves along",
    });
    return;
  }
  findings.note(
    tree,
    path,
    `every replacement expires at this same instant, in ${formatDuration(at - now)}: rotations come ever closer before it, and none outlasts it. expiresAfter moves along`,
  );
}
