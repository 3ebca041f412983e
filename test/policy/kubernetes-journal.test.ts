import { expect, test } from "vitest";
import { faults, load, policyText } from "./setup.ts";

const KEY =
  "  - { name: k, provider: openrouter, schedule: none, store: { use: local, secret: s }, consumers: [{ name: c, probe: { http: http://127.0.0.1:8080/ } }] }\n";

/** A policy whose journal is as given. */
function policyOf(journal: string): string {
  return policyText({}).replace(/^keys:/m, `journal: ${journal}\nkeys:`) + KEY;
}

test("a journal in Kubernetes needs its namespace alone; it may have a name and a context", async () => {
  const { policy } = await load(policyOf("{ type: kubernetes, namespace: shop }"));
  expect(policy.journal).toEqual({ type: "kubernetes", namespace: "shop", name: "keyturn" });
  const named = await load(policyOf("{ type: kubernetes, namespace: shop, name: prod-eu, context: prod }"));
  expect(named.policy.journal).toMatchObject({ name: "prod-eu", context: "prod" });
});

test("what is wrong with a journal in Kubernetes is said", async () => {
  const journals = [
    "{ type: kubernetes }",
    "{ type: kubernetes, namespace: shop, name: Keyturn- }",
    "{ type: kubernetes, namespace: shop, path: x }",
    "{ type: configmap }",
  ];
  const said = await Promise.all(journals.map((journal) => faults(policyOf(journal))));
  expect(said.flat()).toMatchInlineSnapshot(`
    [
      "rotation.yaml:7:1  journal.namespace: is missing; accepted: a Kubernetes namespace like shop",
      "rotation.yaml:7:53  journal.name: found "Keyturn-"; accepted: a name of lower-case letters, digits and hyphens like keyturn",
      "rotation.yaml:7:47  journal.path: unknown field; accepted: type, namespace, name, context",
      "rotation.yaml:7:18  journal.type: found "configmap"; accepted: sqlite or kubernetes",
    ]
  `);
});
