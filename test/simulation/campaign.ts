import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SeedResult } from "./seed.ts";

export interface Campaign {
  seeds: number;
  broken: SeedResult[];
  /** Summed over all seeds. */
  counts: Map<string, number>;
  /** Virtual milliseconds, of one run of each seed. */
  lasted: number;
}

/** Runs seeds on every core. Ends early once so many are broken. */
export async function campaign(options: {
  from: number;
  seeds: number;
  days: number;
  /** Each seed once in place of twice. */
  once?: boolean;
  jobs?: number;
  enough?: number;
  onProgress?: (done: number) => void;
}): Promise<Campaign> {
  const { from, seeds, days, once = false, jobs = availableParallelism(), enough = 10, onProgress } = options;
  const found: Campaign = { seeds: 0, broken: [], counts: new Map(), lasted: 0 };
  let next = from;
  const take = (result: SeedResult) => {
    found.seeds += 1;
    found.lasted += result.lasted;
    if (result.broken.length > 0 || result.differs) found.broken.push(result);
    for (const [what, count] of Object.entries(result.counts))
      found.counts.set(what, (found.counts.get(what) ?? 0) + count);
    onProgress?.(found.seeds);
  };
  const thread = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(new URL("./thread.ts", import.meta.url));
      const more = () => {
        if (next >= from + seeds || found.broken.length >= enough)
          void worker.terminate().then(() => resolve());
        else worker.postMessage({ seed: next++, days, once });
      };
      worker.on("message", (result: SeedResult) => {
        take(result);
        more();
      });
      worker.on("error", reject);
      more();
    });
  await Promise.all(Array.from({ length: Math.min(jobs, seeds) }, thread));
  found.broken.sort((a, b) => a.seed - b.seed);
  return found;
}
