import { checkExpiry } from "./checks/expiry.ts";
import { checkNames } from "./checks/names.ts";
import { checkNotify } from "./checks/notify.ts";
import { checkPauses } from "./checks/pauses.ts";
import { checkProbes } from "./checks/probes.ts";
import { checkRetirement } from "./checks/retirement.ts";
import { checkSchedule } from "./checks/schedule.ts";
import { checkSecrets } from "./checks/secrets.ts";
import { checkSettings } from "./checks/settings.ts";
import { checkStores } from "./checks/stores.ts";
import { checkTemplates } from "./checks/templates.ts";
import type { Findings } from "./findings.ts";
import type { KeyView, PolicyView } from "./view.ts";

const OF_THE_POLICY: readonly ((view: PolicyView, findings: Findings) => void)[] = [
  checkNames,
  checkStores,
  checkSecrets,
];

const OF_EACH_KEY: readonly ((key: KeyView, view: PolicyView, findings: Findings) => void)[] = [
  checkSchedule,
  checkPauses,
  checkExpiry,
  checkSettings,
  checkProbes,
  checkTemplates,
  checkRetirement,
  checkNotify,
];

/** What no single field shows: references, collisions, combinations that cannot work or may surprise. */
export function checkPolicy(view: PolicyView, findings: Findings): void {
  for (const check of OF_THE_POLICY) check(view, findings);
  for (const key of view.keys) {
    for (const check of OF_EACH_KEY) check(key, view, findings);
  }
}
