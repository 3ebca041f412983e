import { drawPlan, type Plan } from "./plan.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** What came of one seed; plain data, so that it can pass between threads. */
export interface SeedResult {
  seed: number;
  /** What was broken, as the observer says it. */
  broken: string[];
  /** Whether the second run was another one than the first. */
  differs: boolean;
  counts: Record<string, number>;
  lasted: number;
}

/** Runs a seed twice, in two worlds that must be the same to the last call; or, with `once`, just once. */
export async function runSeed(seed: number, days: number, once = false): Promise<SeedResult> {
  const plan = drawPlan(seed, days);
  const first = await simulate(plan);
  const second = once ? first : await simulate(plan);
  return {
    seed,
    broken: broken(first),
    differs: first.trace !== second.trace,
    counts: Object.fromEntries(first.counts),
    lasted: first.lasted,
  };
}

export function broken({ violations }: Outcome): string[] {
  return violations.map(({ invariant, says }) => `invariant ${invariant}: ${says}`);
}

/** The plan of a seed with only some of its happenings, by their numbers. */
export function planWith(seed: number, days: number, keep: readonly number[] | undefined): Plan {
  const plan = drawPlan(seed, days);
  if (keep === undefined) return plan;
  return { ...plan, happenings: plan.happenings.filter((_, index) => keep.includes(index)) };
}

/**
 * Cuts a failing seed down: happenings are left out, in ever smaller parts, as long as the same
 * invariant is still broken. Gives the numbers of those that are left.
 */
export async function shrink(seed: number, days: number): Promise<number[]> {
  const whole = await simulate(drawPlan(seed, days));
  const invariant = whole.violations[0]?.invariant;
  let kept = drawPlan(seed, days).happenings.map((_, index) => index);
  const stillBroken = async (keep: number[]) =>
    (await simulate(planWith(seed, days, keep))).violations[0]?.invariant === invariant;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length; ) {
      const less = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (await stillBroken(less)) kept = less;
      else at += size;
    }
  }
  return kept;
}
