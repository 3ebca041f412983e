import type { KeyPolicy, NotifyEvent, NotifyPolicy } from "./schema.ts";

/** What is told of where the policy does not say: all that somebody must look at. */
const BY_DEFAULT: readonly NotifyEvent[] = ["held", "reverted", "failed", "overdue"];

/** The entries under `notify` that are to be told of an event. */
export function toldOf({ notify }: Pick<KeyPolicy, "notify">, event: NotifyEvent): NotifyPolicy[] {
  return notify.filter(({ on = BY_DEFAULT }) => on.includes(event));
}
