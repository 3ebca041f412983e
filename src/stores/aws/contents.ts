import type { Clock } from "../../lib/clock.ts";
import type { Secret } from "../../lib/secret.ts";
import type { SecretRef } from "../store.ts";

/** How long what a version holds is kept in memory, in milliseconds: for the steps that follow one another. */
const KEPT_FOR_MS = 30_000;

/** What versions hold that this process has lately read. A version never changes; a secret that is made anew has another ARN. */
export interface Contents {
  get(ref: SecretRef, arn: string, version: string): Secret | undefined;
  keep(ref: SecretRef, arn: string, version: string, text: Secret): void;
  letGo(ref: SecretRef): void;
}

export function recentContents(clock: Clock): Contents {
  /** By secret, as the policy names it. */
  const kept = new Map<string, Map<string, { text: Secret; from: number }>>();
  const id = (arn: string, version: string) => `${arn} ${version}`;
  return {
    get({ secret }, arn, version) {
      const found = kept.get(secret)?.get(id(arn, version));
      return found && Math.abs(clock.now() - found.from) < KEPT_FOR_MS ? found.text : undefined;
    },
    keep({ secret }, arn, version, text) {
      const ofSecret = kept.get(secret) ?? new Map();
      ofSecret.set(id(arn, version), { text, from: clock.now() });
      kept.set(secret, ofSecret);
    },
    letGo({ secret }) {
      kept.delete(secret);
    },
  };
}
