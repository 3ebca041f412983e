import type { Check } from "../../lib/check.ts";

/** What was found about one cluster, one provider, one store or one key of the policy. */
export interface CheckGroup {
  kind: "cluster" | "provider" | "store" | "key";
  /** Its name in the policy. */
  name: string;
  checks: Check[];
}

/** Each check once, where several keys have led to the same. */
export function distinct(checks: readonly Check[]): Check[] {
  return [...new Map(checks.map((check) => [JSON.stringify(check), check])).values()];
}
