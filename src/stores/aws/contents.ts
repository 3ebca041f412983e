import type { Clock } from "../../lib/clock.ts";
import type { Secret } from "../../lib/secret.ts";

/** How long what a version holds is kept in memory, in milliseconds: for the steps that follow one another. */
const KEPT_FOR_MS = 30_000;

/** What versions hold that this process has lately read. A version never changes; a secret that is made anew has another ARN. */
export interface Contents {
  get(arn: string, version: string): Secret | undefined;
  keep(arn: string, version: string, text: Secret): void;
}

export function recentContents(clock: Clock): Contents {
  const kept = new Map<string, { text: Secret; from: number }>();
  const isRecent = (from: number) => Math.abs(clock.now() - from) < KEPT_FOR_MS;
  const id = (arn: string, version: string) => `${arn} ${version}`;
  return {
    get(arn, version) {
      for (const [other, { from }] of kept) if (!isRecent(from)) kept.delete(other);
      return kept.get(id(arn, version))?.text;
    },
    keep(arn, version, text) {
      kept.set(id(arn, version), { text, from: clock.now() });
    },
  };
}
