import { MUTANTS } from "./mutants.ts";
import { drawPlan } from "./plan.ts";
import { simulate } from "./simulate.ts";

/** What a hunt prints, as JSON: the first broken invariant, or null when all seeds held. */
export interface Caught {
  seed: number;
  invariant: number;
  says: string;
}

/** Simulates the seeds of the mutant named by KEYTURN_MUTANT, one after the other, until one of its invariants breaks. */
const mutant = MUTANTS.find(({ name }) => name === process.env.KEYTURN_MUTANT);
if (mutant === undefined) throw new Error(`there is no mutant "${process.env.KEYTURN_MUTANT}"`);
const { from, seeds, days, acts, breaks } = mutant;
let caught: Caught | null = null;
for (let seed = from; seed < from + seeds && caught === null; seed += 1) {
  const { violations } = await simulate(drawPlan(seed, days, acts));
  const [first] = violations.filter(({ invariant }) => breaks.includes(invariant));
  if (first) caught = { seed, invariant: first.invariant, says: first.says };
}
console.log(JSON.stringify(caught));
