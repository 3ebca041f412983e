import type { PolicySnapshot } from "../journal/document.ts";
import type { StorePolicy } from "../policy/schema.ts";

/** How many calls a rotation makes where everything goes well at once. What has to wait looks again, and so makes more. */
export interface ForeseenCalls {
  provider: number;
  /** Of an API; a store on the local disk makes none. */
  store: number;
  /** How often every consumer is asked. */
  sweeps: number;
}

/** As counted by test/rotation/calls.test.ts, which lists them. */
const STORE_CALLS: Record<StorePolicy["type"], { rotate: number; provision: number }> = {
  file: { rotate: 0, provision: 0 },
  "aws-secrets-manager": { rotate: 10, provision: 10 },
  kubernetes: { rotate: 25, provision: 23 },
};

/**
 * The fewest calls with which a rotation under this policy ends, up to the old key's deletion.
 * `workspaces`: how many are walked beside the default one.
 */
export function foreseenCalls(
  { key, provider, store }: PolicySnapshot,
  kind: "rotate" | "provision",
  workspaces: number,
): ForeseenCalls {
  const { confirm, retire } = key;
  const walk = 1 + workspaces;
  // The new key is made, looked at and tried; the old one is looked at, disabled, tried and deleted.
  const calls = kind === "rotate" ? 7 + walk : 3 + 2 * walk;
  const guardrails = kind === "rotate" && provider.type === "openrouter" ? 1 : 0;
  const waits = [retire.after, retire.watch, retire.keepDisabledFor].filter((wait) => wait > 0).length;
  const ends = kind === "rotate" ? 1 + waits : 1;
  const first = kind === "rotate" ? 1 : 0;
  return {
    provider: calls + guardrails,
    store: STORE_CALLS[store.type][kind],
    sweeps: key.consumers === "none" ? 0 : first + ends * confirm.successThreshold,
  };
}
