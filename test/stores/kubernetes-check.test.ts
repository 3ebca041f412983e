import { describe, expect, it } from "vitest";
import { SECRETS } from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import type { Store } from "../../src/stores/store.ts";
import { COMPANION, kubernetesWorld, NAMESPACE, OWNER, REF } from "./kubernetes-world.ts";

const MARKS = { passed: "✓", failed: "✗", noted: "–" };

/** The checks as lines, what to do included. */
async function lines(store: Store): Promise<string> {
  const { checks = [] } = (await store.check?.(REF)) ?? {};
  return checks
    .map(({ check, result, says, hint }) => `${MARKS[result]} ${check}: ${says}${hint ? ` => ${hint}` : ""}`)
    .join("\n");
}

describe("checking a Secret without writing", () => {
  it("asks for each right by the object's name, and leaves everything as it was", async () => {
    const { put, stage, store, model } = kubernetesWorld();
    await put("k1");
    await stage("k2");
    const before = model.all(SECRETS, NAMESPACE);
    expect(await lines(store)).toMatchInlineSnapshot(`
      "✓ cluster: model, namespace shop
      ✓ get secrets/payments: allowed
      ✓ patch secrets/payments: allowed
      ✓ get secrets/payments-keyturn: allowed
      ✓ patch secrets/payments-keyturn: allowed"
    `);
    expect(model.all(SECRETS, NAMESPACE)).toEqual(before);
    expect((await store.check?.(REF))?.found?.view).toEqual(await store.observe(REF));
  });

  it("asks for the right to create what is not there yet", async () => {
    const { make, store, model } = kubernetesWorld();
    make({ DB: "p", BATCH_KEY: "b" });
    model.deny({ resources: ["secrets"], verbs: ["create"] });
    expect(await lines(store)).toMatchInlineSnapshot(`
      "✓ cluster: model, namespace shop
      ✓ get secrets/payments: allowed
      ✓ patch secrets/payments: allowed
      ✓ get secrets/payments-keyturn: allowed
      ✓ patch secrets/payments-keyturn: allowed
      ✗ create secrets: not allowed in namespace shop => apply what \`rotate init --kubernetes-rbac\` prints: the Role, the RoleBinding and the empty objects
      – entry: Secret payments has no entry LLM_KEY; it has: DB, BATCH_KEY"
    `);
    model.access.lift();
    model.remove(SECRETS, NAMESPACE, REF.secret);
    const { found } = (await store.check?.(REF)) ?? {};
    expect(found).toMatchObject({ exists: false, view: { current: undefined } });
    expect(model.all(SECRETS, NAMESPACE)).toEqual([]);
  });

  it("takes the right to create the Secret as needed only where the policy creates it", async () => {
    const { store, put, model } = kubernetesWorld();
    await put("k1");
    model.remove(SECRETS, NAMESPACE, REF.secret);
    model.deny({ resources: ["secrets"], verbs: ["create"] });
    expect(await lines(store)).toContain("– create secrets: ");
  });

  it.each([
    ["get", REF.secret],
    ["patch", REF.secret],
    ["get", COMPANION],
    ["patch", COMPANION],
  ])("names %s on %s where it is forbidden", async (verb, name) => {
    const { put, store, model } = kubernetesWorld();
    await put("k1");
    model.deny({ resources: ["secrets"], verbs: [verb], resourceNames: [name] });
    const failures = (await lines(store)).split("\n").filter((line) => line.startsWith("✗"));
    expect(failures[0]).toMatch(new RegExp(`^✗ ${verb} secrets/${name}: .*rotate init --kubernetes-rbac`));
    expect(failures).toHaveLength(verb === "get" ? 2 : 1);
  });

  it("says why a Secret is refused, beside the rights", async () => {
    const { make, store } = kubernetesWorld();
    make({ LLM_KEY: "k1" }, { immutable: true });
    const examined = await store.check?.(REF);
    expect(examined?.found).toBeUndefined();
    expect(examined?.checks.at(-1)).toMatchObject({
      check: "secret",
      result: "failed",
      says: "Secret payments is immutable",
    });
  });

  it("shows what is warned of, and nothing secret", async () => {
    const { make, store } = kubernetesWorld();
    make({ LLM_KEY: "sk-canary" }, { metadata: { labels: { "kustomize.toolkit.fluxcd.io/name": "shop" } } });
    const examined = await store.check?.(REF);
    expect(examined?.found?.view.warnings).toEqual([expect.stringContaining("Flux")]);
    expect(JSON.stringify(examined)).not.toContain("sk-canary");
  });

  it("ends with the first where there is no cluster", async () => {
    const { clock } = kubernetesWorld();
    const none = kubeApi(async () => {
      throw new RotationError("unusable", "no cluster is configured", { hint: "set KUBECONFIG" });
    });
    const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };
    const config = { type: "kubernetes" as const, namespace: NAMESPACE };
    const store = kubernetesStore("cluster", config, { kube: none, clock, random });
    expect(await lines(store)).toBe("✗ cluster: no cluster is configured => set KUBECONFIG");
  });

  it("fails with an expired token", async () => {
    const { store, model } = kubernetesWorld();
    model.access.refuse();
    expect(await lines(store)).toMatch(/✗ get secrets\/payments: .*\(401\)/);
  });
});

it("a store says where it is, so that two that are one are known", async () => {
  const { store, clock, model } = kubernetesWorld();
  expect(store.location).toBe("kubernetes:shop");
  const kube = kubeApi(async () => ({ send: model.send, namespace: "x", name: "y" }));
  const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };
  const config = { type: "kubernetes" as const, namespace: "shop", context: "prod" };
  expect(kubernetesStore("c", config, { kube, clock, random }).location).toBe("kubernetes:prod:shop");
  await expect(store.claim(REF, OWNER, { create: false })).rejects.toMatchObject({ code: "absent" });
});
