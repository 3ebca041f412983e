import { describe, expect, it } from "vitest";
import { SECRETS } from "../../src/kubernetes/api.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import { base64 } from "./kubernetes-bench.ts";
import { COMPANION, kubernetesWorld, NAMESPACE, OWNER, REF, refusal } from "./kubernetes-world.ts";

const owner = (kind: string, controller?: boolean) => ({
  ownerReferences: [
    { apiVersion: "example.com/v1", kind, name: "payments", uid: "u1", ...(controller && { controller }) },
  ],
});

/** Why a Secret is refused, by the look and by the claim alike. */
async function refused(more: Partial<KubeSecret>, entries: Record<string, string> = { LLM_KEY: "k1" }) {
  const { make, store } = kubernetesWorld();
  make(entries, more as object);
  const why = await refusal(store.observe(REF));
  expect(await refusal(store.claim(REF, OWNER, { create: true }))).toBe(why);
  const request = { rotation: "r1", hash: "h1", value: new Secret("k2"), base: "absent" };
  expect(await refusal(store.stage(REF, request))).toBe(why);
  return why;
}

const metadata = (fields: object) => ({ metadata: fields }) as Partial<KubeSecret>;

describe("a Secret that cannot be rotated is refused, and it is said what to do", () => {
  it("where it is immutable", async () => {
    expect(await refused({ immutable: true })).toMatchInlineSnapshot(`
      "unusable: Secret payments is immutable
      no entry of it can ever change: make it again without immutable: true, or name another Secret"
    `);
  });

  it("where its type gives its entries", async () => {
    const tls = { "tls.crt": "c", "tls.key": "k" };
    expect(await refused({ type: "kubernetes.io/tls" }, tls)).toMatchInlineSnapshot(`
      "unusable: Secret payments has type kubernetes.io/tls
      the entries of such a Secret are given by its type: use one of type Opaque"
    `);
    for (const type of [
      "kubernetes.io/service-account-token",
      "bootstrap.kubernetes.io/token",
      "helm.sh/release.v1",
    ])
      expect(await refused({ type })).toMatch(new RegExp(`^unusable: Secret payments has type ${type}`));
  });

  it("where External Secrets makes it", async () => {
    expect(await refused(metadata(owner("ExternalSecret", true)))).toMatchInlineSnapshot(`
      "unusable: Secret payments is made by External Secrets (ExternalSecret payments), which would put its own value back
      name the store that External Secrets reads, in the policy, and ask it to refresh by reload: { kubernetes: { sync: externalsecret/NAME } }; or take the key out of the ExternalSecret, into a Secret of its own"
    `);
    const labels = { "reconcile.external-secrets.io/managed": "true" };
    expect(await refused(metadata({ labels }))).toMatch(/^unusable: .* is made by External Secrets/);
  });

  it("where Sealed Secrets makes it", async () => {
    expect(await refused(metadata(owner("SealedSecret", true)))).toMatchInlineSnapshot(`
      "unusable: Secret payments is made by Sealed Secrets (SealedSecret payments), which would put its own value back
      a SealedSecret is a value in git that nothing can rotate: keep the key in a Secret of its own, which nothing else makes, and name that one in the policy"
    `);
    const annotations = { "sealedsecrets.bitnami.com/managed": "true" };
    expect(await refused(metadata({ annotations }))).toMatch(/^unusable: .* is made by Sealed Secrets/);
  });

  it("where Helm makes it", async () => {
    const annotations = { "meta.helm.sh/release-name": "payments" };
    expect(await refused(metadata({ annotations }))).toMatchInlineSnapshot(`
      "unusable: Secret payments is made by Helm (release payments), which would put its own value back
      the next upgrade may bring the chart's value back, and an uninstall deletes it: keep the key in a Secret of its own, which nothing else makes, and name that one in the policy"
    `);
    expect(await refused(metadata({ labels: { "app.kubernetes.io/managed-by": "Helm" } }))).toMatch(
      /^unusable: Secret payments is made by Helm, /,
    );
  });

  it("where any other controller makes it", async () => {
    expect(await refused(metadata(owner("VaultStaticSecret")))).toMatch(/Vault Secrets Operator/);
    expect(await refused(metadata(owner("Widget", true)))).toMatch(/is made by Widget payments/);
    const labels = { "secrets-store.csi.k8s.io/managed": "true" };
    expect(await refused(metadata({ labels }))).toMatch(/Secrets Store CSI driver/);
  });

  it("where its entry is no text", async () => {
    const { make, edit, store } = kubernetesWorld();
    make({});
    edit((secret) =>
      Object.assign(secret, { data: { LLM_KEY: Buffer.from([0xff, 0xfe]).toString("base64") } }),
    );
    expect(await refusal(store.observe(REF))).toMatchInlineSnapshot(`
      "unusable: entry LLM_KEY of Secret payments is not UTF-8 text
      put the key itself there, in base64 once: kubectl create secret generic does so; or name another entry"
    `);
  });

  it("where it is being deleted", async () => {
    const { make, model, store } = kubernetesWorld();
    make({ LLM_KEY: "k1" }, { metadata: { finalizers: ["example.com/wait"] } });
    model.remove(SECRETS, NAMESPACE, REF.secret);
    expect(await refusal(store.observe(REF))).toMatch(/^unusable: Secret payments is being deleted/);
  });

  it("where the new key would make it too large, before anything is written", async () => {
    const { make, store, stage, model, edit } = kubernetesWorld();
    make({ BIG: "x".repeat(1024 * 1024 - 5) });
    expect(await refusal(store.claim(REF, OWNER, { create: false }))).toMatch(/would hold 1048827 bytes/);
    edit((secret) => Object.assign(secret, { data: {} }));
    await store.claim(REF, OWNER, { create: false });
    edit((secret) => Object.assign(secret, { data: { BIG: base64("x".repeat(1024 * 1024 - 5)) } }));
    model.calls.length = 0;
    expect(await refusal(stage("sk-or-v1-0123456789"))).toMatchInlineSnapshot(`
      "unusable: Secret payments would hold 1048590 bytes, and Kubernetes takes 1048576 (1 MiB)
      move its largest entries to another Secret or a ConfigMap, or keep the key in a Secret of its own"
    `);
    expect(model.calls.every(({ verb }) => verb === "get")).toBe(true);
  });
});

describe("a Secret is rotated", () => {
  it.each([
    ["of type basic-auth", { type: "kubernetes.io/basic-auth" }],
    ["of a type of somebody's own", { type: "example.com/llm" }],
    ["that an object owns without controlling it", metadata(owner("Application"))],
  ])("%s", async (_, more) => {
    const { make, put, entries } = kubernetesWorld();
    make({ LLM_KEY: "k1" }, more as object);
    await put("k2");
    expect(entries()).toEqual({ LLM_KEY: "k2" });
  });

  it.each([
    [
      "Argo CD tracks it",
      { annotations: { "argocd.argoproj.io/tracking-id": "shop:/Secret:shop/payments" } },
      /tracked by Argo CD .*ignoreDifferences/,
    ],
    [
      "Flux applies it",
      { labels: { "kustomize.toolkit.fluxcd.io/name": "shop" } },
      /applied by Flux \(shop\)/,
    ],
  ])("with a warning where %s", async (_, found, warning) => {
    const { make, put, store } = kubernetesWorld();
    make({ LLM_KEY: "k1" }, metadata(found) as object);
    await put("k2");
    expect((await store.observe(REF)).warnings).toEqual([expect.stringMatching(warning)]);
  });

  it("without a warning where Flux is told to leave it", async () => {
    const { make, store } = kubernetesWorld();
    make(
      { LLM_KEY: "k1" },
      {
        metadata: {
          labels: { "kustomize.toolkit.fluxcd.io/name": "shop" },
          annotations: { "kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent" },
        },
      },
    );
    expect((await store.observe(REF)).warnings).toEqual([]);
  });

  it("that was never there, where it may be created, and is then of type Opaque", async () => {
    const { put, find, entries } = kubernetesWorld();
    await put("k1");
    expect(find("payments")?.type).toBe("Opaque");
    expect(entries()).toEqual({ LLM_KEY: "k1" });
  });

  it("whose name is as long as it may be", async () => {
    const { put, entries, model } = kubernetesWorld();
    const secret = `${"a".repeat(230)}.${"b".repeat(22)}`;
    await put("k1", { ...REF, secret });
    expect(entries(secret)).toEqual({ LLM_KEY: "k1" });
    const names = model.all(SECRETS, NAMESPACE).map(({ metadata: { name } }) => name);
    expect(names.every((name) => name.length <= 253)).toBe(true);
    expect(new Set(names).size).toBe(2);
  });
});

describe("what the API server refuses is said", () => {
  it("where a namespace is not there", async () => {
    const { model, store } = kubernetesWorld();
    model.withoutNamespace(NAMESPACE);
    expect((await store.observe(REF)).current).toBeUndefined();
    expect(await refusal(store.claim(REF, OWNER, { create: true }))).toMatchInlineSnapshot(`
      "absent: cannot create Secret payments-keyturn in namespace shop: there is no namespace shop
      create it, or correct the namespace in the policy"
    `);
  });

  it("where the Secret is not there, and may not be created", async () => {
    const { store, model } = kubernetesWorld();
    expect(await refusal(store.claim(REF, OWNER, { create: false }))).toMatchInlineSnapshot(`
      "absent: secret payments is not there
      check its name; to have it made, set create: true on the key's store"
    `);
    expect(model.all(SECRETS, NAMESPACE)).toEqual([]);
  });

  it("where a verb is forbidden, before any key is made: by the claim", async () => {
    const { store, make, model } = kubernetesWorld();
    make({ LLM_KEY: "k1" });
    model.deny({ resources: ["secrets"], verbs: ["create"] });
    expect(await refusal(store.claim(REF, OWNER, { create: false }))).toMatchInlineSnapshot(`
      "forbidden: cannot create Secret payments-keyturn in namespace shop: secrets is forbidden: User "system:serviceaccount:keyturn:keyturn" cannot create resource "secrets" in API group "" in the namespace "shop"
      allow create on secrets/payments-keyturn in namespace shop: \`rotate init --kubernetes-rbac\` prints the Role, the RoleBinding and the objects to apply"
    `);
    expect((await store.observe(REF)).owner).toBeUndefined();
  });

  it("where the token has expired", async () => {
    const { store, model } = kubernetesWorld();
    model.access.refuse();
    await expect(store.observe(REF)).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("where the companion is somebody else's, immutable, damaged or of a newer version", async () => {
    const { store, model, make, put, stage, edit } = kubernetesWorld();
    const putCompanion = (more: Partial<KubeSecret>) =>
      model.put<KubeSecret>(SECRETS, NAMESPACE, { metadata: { name: COMPANION }, ...more });
    make({ LLM_KEY: "k1" });
    putCompanion({ data: { THEIRS: "eA==" } });
    expect(await refusal(store.observe(REF))).toMatchInlineSnapshot(`
      "unusable: Secret payments-keyturn, in which keyturn keeps values of payments, is somebody else's
      free that name, or rename the Secret of the key"
    `);
    model.remove(SECRETS, NAMESPACE, COMPANION);
    putCompanion({ immutable: true });
    expect(await refusal(store.claim(REF, OWNER, { create: false }))).toMatch(/^unusable: .* is immutable/);
    model.remove(SECRETS, NAMESPACE, COMPANION);

    await put("k2");
    const { version } = await stage("k3");
    const before = model.find<KubeSecret>(SECRETS, NAMESPACE, COMPANION);
    const set = (text: string) =>
      edit((secret) => {
        secret.data = { "versions.json": Buffer.from(text).toString("base64") };
      }, COMPANION);
    set("{ not json");
    expect(await refusal(store.observe(REF))).toMatchInlineSnapshot(`
      "unusable: Secret payments-keyturn is damaged: it is not JSON
      restore it from a backup; or empty it (remove its entry versions.json), then pending and previous values are lost, and what the consumers use stays"
    `);
    set('{"format":2}');
    expect(await refusal(store.drop(REF, version))).toMatch(/^newer-version: /);
    edit((secret) => {
      secret.data = before?.data ?? {};
    }, COMPANION);
    expect((await store.read(REF, version))?.reveal()).toBe("k3");
  });

  it.each([
    ["no entry", { secret: "payments" }],
    ["a name that is none", { secret: "../kube-system/x", field: "K" }],
    ["a companion", { secret: "payments-keyturn", field: "K" }],
    ["an entry that is none", { secret: "payments", field: "a/b" }],
  ])("where %s is named, without a call", async (_, ref) => {
    const { store, model } = kubernetesWorld();
    await expect(store.observe(ref)).rejects.toMatchObject({ code: "unusable", hint: expect.any(String) });
    await expect(store.claim(ref, OWNER, { create: true })).rejects.toMatchObject({ code: "unusable" });
    expect(model.calls).toEqual([]);
  });
});

it("a person who may only look sees what a promotion has left half-way, and changes nothing", async () => {
  const { put, stage, find, edit, store, model } = kubernetesWorld();
  await put("k1");
  const { version, base } = await stage("k2", "r2");
  const kept = find(COMPANION)?.data ?? {};
  await store.promote(REF, version, base);
  edit((secret) => {
    secret.data = kept;
  }, COMPANION);
  model.deny({ resources: ["secrets"], verbs: ["patch"] });
  expect(await store.observe(REF)).toMatchObject({ base: version, staged: [], retained: [] });
});
