import type { Clock } from "../../lib/clock.ts";
import type { Secret } from "../../lib/secret.ts";
import type { SecretRef } from "../store.ts";

/** How long what a version holds is kept in memory, in milliseconds: for the steps that follow one another. */
const KEPT_FOR_MS = 30_000;

/** What versions hold that this process has lately read. A version never changes; a secret that is made anew has another ARN. */
export interface Contents {
  /** Without `arn` as it was last read, whichever secret of that name it was read of. */
  get(ref: SecretRef, version: string, arn?: string): Secret | undefined;
  /** Whether anything is kept of the secret. */
  holdsAny(ref: SecretRef): boolean;
  keep(ref: SecretRef, version: string, arn: string, text: Secret): void;
  drop(ref: SecretRef, version: string): void;
  letGo(ref: SecretRef): void;
}

interface Kept {
  arn: string;
  text: Secret;
  /** Epoch milliseconds. */
  from: number;
}

export function recentContents(clock: Clock): Contents {
  /** By secret, as the policy names it, and by version. */
  const kept = new Map<string, Map<string, Kept>>();
  const isFresh = ({ from }: Kept) => Math.abs(clock.now() - from) < KEPT_FOR_MS;
  return {
    get({ secret }, version, arn) {
      const found = kept.get(secret)?.get(version);
      return found && isFresh(found) && (arn ?? found.arn) === found.arn ? found.text : undefined;
    },
    holdsAny({ secret }) {
      return [...(kept.get(secret)?.values() ?? [])].some(isFresh);
    },
    keep({ secret }, version, arn, text) {
      const ofSecret = kept.get(secret) ?? new Map<string, Kept>();
      ofSecret.set(version, { arn, text, from: clock.now() });
      kept.set(secret, ofSecret);
    },
    drop({ secret }, version) {
      kept.get(secret)?.delete(version);
    },
    letGo({ secret }) {
      kept.delete(secret);
    },
  };
}
