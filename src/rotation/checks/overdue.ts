import { toldOf } from "../../policy/notify.ts";
import type { HoldReason } from "../reasons.ts";
import { type Decision, step } from "../step.ts";
import { OVERDUE_AFTER_MS } from "../timing.ts";
import type { World } from "../world.ts";

/**
 * Journals that a key has been due for long and nothing could be started: once for each due instant,
 * and only where somebody is to be told. It comes last, so that a start comes before it.
 */
export function checkOverdue(world: World): Decision | undefined {
  for (const [field, { key }] of Object.entries(world.policies)) {
    const record = world.document.keys[field];
    const due = record?.current && record.due?.at;
    if (due === undefined || world.now <= due + OVERDUE_AFTER_MS || record?.overdue === due) continue;
    if (key.suspend || world.document.rotation?.field === field) continue;
    if (toldOf(key, "overdue").length === 0) continue;
    const since = `was due at ${new Date(due).toISOString()} and nothing could be started`;
    const why = record?.blocked ? `${since}: ${record.blocked.message}` : since;
    return step(
      { note: "overdue", field, due },
      (record?.blocked?.reason as HoldReason | undefined) ?? "overdue",
      why,
    );
  }
  return undefined;
}
