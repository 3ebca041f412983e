import { expect, test } from "vitest";
import { checkConsumers } from "../../../src/commands/online/key.ts";
import { DEPLOYMENTS } from "../../../src/kubernetes/api.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { createProbe } from "../../../src/probes/create-probe.ts";
import { cluster, OLD } from "../../probes/kubernetes/cluster.ts";
import { consumer } from "../../probes/support.ts";
import { policyOf } from "../../rotation/scenario.ts";

test("a workload that no rotation has restarted yet is noted, and an unhealthy one fails", async () => {
  const world = cluster();
  world.workloads.create(DEPLOYMENTS, "payments");
  world.workloads.settle(DEPLOYMENTS, "payments");
  const payments = consumer({ kubernetes: { rollout: "deployment/payments" } });
  const { keys, stores } = policyOf([
    {
      name: "payments-api",
      provider: "openrouter",
      schedule: "none",
      store: { use: "cluster", secret: "payments-openrouter", field: "OPENROUTER_API_KEY" },
      consumers: [{ name: "payments", probe: { kubernetes: { rollout: "deployment/payments" } } }],
    },
  ]);
  const [key] = keys;
  if (key === undefined) throw new Error("no key");
  const probe = createProbe(payments, world.parts, { key, store: stores.cluster });
  const look = () => checkConsumers(key, [probe], { version: "1", value: new Secret(OLD) }, undefined);
  expect(new Set((await look()).map(({ result }) => result))).toEqual(new Set(["noted"]));
  expect((await look())[0]?.says).toBe(
    "deployment/payments bears no stamp of payments-api on its pod template; a rollout is judged from the first rotation's restart on",
  );
  world.edit(DEPLOYMENTS, ({ spec }) => void Object.assign(spec, { paused: true }));
  expect((await look())[0]).toMatchObject({ result: "failed", says: expect.stringContaining("is paused") });
});
