import type { Check } from "../../lib/check.ts";

/** What was found about one cluster, provider, store or key of the policy, about its journal or its server. */
export interface CheckGroup {
  kind: "cluster" | "provider" | "store" | "journal" | "key" | "server";
  /** Its name in the policy; where it is, of the journal and the server. */
  name: string;
  checks: Check[];
}

/** Each check once, where several keys have led to the same. */
export function distinct(checks: readonly Check[]): Check[] {
  return [...new Map(checks.map((check) => [JSON.stringify(check), check])).values()];
}
