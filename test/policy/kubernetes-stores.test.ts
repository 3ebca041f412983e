import { expect, test } from "vitest";
import { faults, load, policyText } from "./setup.ts";

/** A policy with the store `cluster` in the namespace shop, and a key for each store reference. */
function policyOf(stores: string, ...refs: string[]): string {
  const keys = refs.map(
    (ref, index) =>
      `  - { name: k${index}, provider: openrouter, schedule: none, store: ${ref}, consumers: [{ name: c, probe: { http: http://127.0.0.1:8080/ } }] }\n`,
  );
  return policyText({ top: `  cluster: { type: kubernetes, namespace: shop }\n${stores}` }) + keys.join("");
}

test("a store in Kubernetes needs its namespace alone, and may name a context", async () => {
  const { policy } = await load(
    policyOf("  prod: { type: kubernetes, namespace: shop, context: prod/admin@eu }"),
  );
  expect(policy.stores.cluster).toEqual({ type: "kubernetes", namespace: "shop" });
  expect(policy.stores.prod).toEqual({ type: "kubernetes", namespace: "shop", context: "prod/admin@eu" });
});

test("what is wrong with a store in Kubernetes is said field by field", async () => {
  const text = policyOf(
    "  none: { type: kubernetes }\n  bad: { type: kubernetes, namespace: Shop_1, contex: x }\n  other: { type: kubernets, namespace: shop }",
  );
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:8:3  stores.none.namespace: is missing; accepted: a Kubernetes namespace like shop",
      "rotation.yaml:9:39  stores.bad.namespace: found "Shop_1"; accepted: a Kubernetes namespace like shop",
      "rotation.yaml:9:47  stores.bad.contex: unknown field; accepted: type, namespace, context",
      "did you mean "context"?",
      "rotation.yaml:10:18  stores.other.type: found "kubernets"; accepted: file or aws-secrets-manager or kubernetes",
      "did you mean "kubernetes"?",
    ]
  `);
});

test("a key in Kubernetes is one entry of a Secret, both named as Kubernetes takes it", async () => {
  const text = policyOf(
    "",
    "{ use: cluster, secret: payments }",
    "{ use: cluster, secret: prod/payments, field: LLM_KEY }",
    "{ use: cluster, secret: Payments, field: LLM KEY }",
    '{ use: cluster, secret: batch, field: "..x" }',
    "{ use: cluster, secret: payments-keyturn, field: LLM_KEY }",
    "{ use: cluster, secret: payments.eu-1, field: _LLM.key-1 }",
  );
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:14:55  keys[1].store.field: missing; a Secret of Kubernetes is always a map, and the key is one entry of its data",
      "name the entry, like field: OPENROUTER_API_KEY (kubectl describe secret lists those that are there)",
      "rotation.yaml:15:86  keys[2].store.secret: found "prod/payments"; accepted in Kubernetes: lower-case letters, digits, hyphens and dots, 253 at most, that begin and end with a letter or digit",
      "rotation.yaml:16:86  keys[3].store.secret: found "Payments"; accepted in Kubernetes: lower-case letters, digits, hyphens and dots, 253 at most, that begin and end with a letter or digit",
      "rotation.yaml:16:103  keys[3].store.field: found "LLM KEY"; accepted in Kubernetes: letters, digits, "-", "_" and ".", 253 at most",
      "rotation.yaml:17:100  keys[4].store.field: found "..x"; accepted in Kubernetes: letters, digits, "-", "_" and ".", 253 at most",
      "rotation.yaml:18:86  keys[5].store.secret: found "payments-keyturn": keyturn keeps values of payments in a Secret of that name; accepted: a name that does not end in -keyturn",
    ]
  `);
});

test("two keys may be entries of one Secret, by one store", async () => {
  const more = "  same: { type: kubernetes, namespace: shop }\n  away: { type: kubernetes, namespace: b }";
  const text = policyOf(
    more,
    "{ use: cluster, secret: payments, field: A }",
    "{ use: cluster, secret: payments, field: B }",
    "{ use: away, secret: payments, field: A }",
    "{ use: same, secret: payments, field: C }",
    "{ use: cluster, secret: payments, field: A }",
  );
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:19:69  keys[4].store.use: this is the Secret of keys[1] by another store; keys of one Secret name it by the same store",
      "rotation.yaml:20:86  keys[5].store.secret: the field "A" of the secret "payments" is already written by keys[1]",
    ]
  `);
});
