import { planWith } from "./test/simulation/seed.ts";
const p = planWith(1186, 30, [7,15]);
console.log(JSON.stringify(p.keys.map(k=>k.policy),null,1).slice(0,2500));
console.log(p.happenings);
