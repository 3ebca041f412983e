import type { ConsumerStats } from "../../sandbox/sandbox.ts";

/** Different failures shown of each consumer. */
const SHOWN_FAILURES = 5;

/** What each consumer of the sandbox sent and how much of it failed, and under it why. */
export function trafficLines(stats: readonly ConsumerStats[]): string[] {
  return stats.flatMap(({ name, sent, failed, failures }) => [
    `${name}: ${sent} requests sent, ${failed} failed`,
    ...failureLines(failures),
  ]);
}

/** Each reason once, with how often it came. */
export function failureLines(failures: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const why of failures) counts.set(why, (counts.get(why) ?? 0) + 1);
  const lines = [...counts].map(([why, count]) => `  ${count} × ${why}`);
  return lines.length <= SHOWN_FAILURES
    ? lines
    : [...lines.slice(0, SHOWN_FAILURES), `  and ${lines.length - SHOWN_FAILURES} other reasons`];
}
