import { drawPlan } from "./plan.ts";
import { simulate } from "./simulate.ts";

/** What a hunt prints, as JSON: the first broken invariant, or null when all seeds held. */
export interface Caught {
  seed: number;
  invariant: number;
  says: string;
}

/** `node hunt.ts FROM SEEDS DAYS [ACT,…]`: simulates seeds, one after the other, until an invariant is broken. */
const [from, seeds, days] = process.argv.slice(2, 5).map(Number) as [number, number, number];
const acts = process.argv[5]?.split(",");
let caught: Caught | null = null;
for (let seed = from; seed < from + seeds && caught === null; seed += 1) {
  const { violations } = await simulate(drawPlan(seed, days, acts));
  const [first] = violations;
  if (first) caught = { seed, invariant: first.invariant, says: first.says };
}
console.log(JSON.stringify(caught));
