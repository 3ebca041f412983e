import { test } from "vitest";
import { judgePolicy } from "/work/main/src/policy/load.ts";
import { groundOf } from "/work/main/src/rotation/targets.ts";
import { policyChanges } from "/work/main/src/policy/changes.ts";
test("cost", () => {
  for (const n of [500, 2000, 4000, 8000]) {
    const text = `version: 1
providers:
  openrouter: { type: openrouter, managementKey: { env: MANAGEMENT } }
stores:
  local: { type: file, path: ./secrets }
keys:
` + Array.from({length:n},(_, i)=>`  - name: key-${i}
    provider: openrouter
    schedule: "0 10 * * 2"
    store: { use: local, secret: s${i}, field: K }
    consumers: none
    retire: { after: 1h }
`).join("");
    let t = performance.now();
    const { policy } = judgePolicy("/x/rotation.yaml", text, {}, {now: 0});
    const judge = performance.now()-t; t = performance.now();
    const g = groundOf(policy); groundOf({...policy}, g); const gr = performance.now()-t; t=performance.now();
    policyChanges(policy, policy); const ch = performance.now()-t;
    console.log(n, text.length, judge.toFixed(0), gr.toFixed(0), ch.toFixed(0));
  }
});
