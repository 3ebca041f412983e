import { describe, expect, it } from "vitest";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import {
  after,
  type Effect,
  lostAnswer,
  lostRace,
  serverError,
  timeout,
  tooManyRequests,
  unreachable,
} from "../kubernetes/model/faults.ts";
import { base64 } from "./kubernetes-bench.ts";
import { COMPANION, kubernetesWorld, OWNER, REF, refusal } from "./kubernetes-world.ts";

const writesOf = (name: string) => ({ verb: "patch", resource: "secrets", name });

describe("a promotion in Kubernetes", () => {
  it("is one write of the Secret, between two of its companion", async () => {
    const { put, stage, store, callsOf } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    const calls = await callsOf(() => store.promote(REF, version, base));
    expect(calls.filter((call) => !call.startsWith("get"))).toEqual([
      `patch ${COMPANION}`,
      "patch payments",
      `patch ${COMPANION}`,
    ]);
  });

  it("keeps other entries, labels, annotations, owners and finalizers", async () => {
    const { make, put, find, entries } = kubernetesWorld();
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "app", uid: "u1" }];
    const theirs = {
      labels: { app: "payments" },
      annotations: { note: "mine" },
      ownerReferences,
      finalizers: ["example.com/wait"],
    };
    make({ LLM_KEY: "k1", DB: "p", __proto__x: "q", EMPTY: "" }, { metadata: theirs });
    await put("k2");
    expect(entries()).toEqual({ LLM_KEY: "k2", DB: "p", __proto__x: "q", EMPTY: "" });
    expect(find("payments")?.metadata).toMatchObject(theirs);
  });

  it("leaves bytes of other entries that are no text as they are", async () => {
    const { edit, put, find } = kubernetesWorld();
    await put("k1");
    const bytes = Buffer.from([0xff, 0, 0xfe]).toString("base64");
    edit((secret) => Object.assign(secret.data ?? {}, { KEYSTORE: bytes }));
    await put("k2");
    expect(find("payments")?.data?.KEYSTORE).toBe(bytes);
  });

  it("goes on when somebody sets a label in between, on the same base", async () => {
    const { put, stage, store, model, edit, entries, find } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    const label = () => {
      edit(({ metadata }) => Object.assign(metadata, { labels: { team: "payments" } }));
    };
    model.once(writesOf("payments"), after(label));
    await store.promote(REF, version, base);
    expect(entries()).toEqual({ LLM_KEY: "k2" });
    expect(find("payments")?.metadata.labels).toEqual({ team: "payments" });
    expect((await store.observe(REF)).current?.version).toBe(version);
  });

  it("fails when somebody changes an entry in between, and loses neither's", async () => {
    const { put, stage, store, model, edit, entries } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    model.once(
      writesOf("payments"),
      after(() => void edit((secret) => Object.assign(secret.data ?? {}, { DB: base64("new") }))),
    );
    expect(await refusal(store.promote(REF, version, base))).toMatch(/^conflict: .* has moved on/);
    expect(entries()).toEqual({ LLM_KEY: "k1", DB: "new" });
    const view = await store.observe(REF);
    expect(view.current?.hash).toBe("hash-k1");
    const again = await stage("k2", "r2");
    await store.promote(REF, again.version, again.base);
    expect(entries()).toEqual({ LLM_KEY: "k2", DB: "new" });
  });

  it("that stalls for an hour fails by itself once current was written again (R1)", async () => {
    const { put, stage, model, open, entries, store } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    const { promise: anHour, resolve: pass } = Promise.withResolvers<void>();
    const { promise: sent, resolve: send } = Promise.withResolvers<void>();
    const slow = open(async (request) => {
      if (request.method === "PATCH" && request.path.endsWith("/payments")) {
        send();
        await anHour;
      }
      return model.send(request);
    });
    const late = refusal(slow.promote(REF, version, base));
    await sent;
    const rewrite = await stage("k1", "fence");
    await store.promote(REF, rewrite.version, rewrite.base);
    pass();
    expect(await late).toMatch(/^conflict: .* has moved on/);
    expect(entries()).toEqual({ LLM_KEY: "k1" });
    expect((await store.observe(REF)).current?.version).toBe(rewrite.version);
  });

  it("leaves entries alone that it was not shown, as does a claim", async () => {
    const { put, make, stage, model, open, entries } = kubernetesWorld();
    make({ DB: "keep" });
    await put("k1");
    const blind = open(async (request) => {
      const answer = await model.send(request);
      if (request.method !== "GET" || !request.path.endsWith("/payments")) return answer;
      const { data, ...body } = answer.body as KubeSecret;
      const { DB: _, ...shown } = data ?? {};
      return { ...answer, body: { ...body, data: shown } };
    });
    await blind.claim(REF, { ...OWNER, journal: "another" }, { create: false, takeOver: true });
    const { version, base } = await stage("k2", "r2", REF, blind);
    await blind.promote(REF, version, base);
    expect(entries()).toEqual({ LLM_KEY: "k2", DB: "keep" });
  });

  it("fails when the Secret was made anew meanwhile, even with the same content", async () => {
    const { put, stage, store, model, make, find, entries } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    const annotations = find("payments")?.metadata.annotations ?? {};
    model.remove({ group: "", version: "v1", plural: "secrets", kind: "Secret" }, "shop", "payments");
    make({ LLM_KEY: "k1" }, { metadata: { annotations } });
    expect(await refusal(store.promote(REF, version, base))).toMatch(/^conflict: /);
    expect(entries()).toEqual({ LLM_KEY: "k1" });
  });

  const effects: [string, Effect][] = [
    ["lost its answer after its effect", lostAnswer],
    ["had no effect and no answer", timeout],
    ["failed in the server", serverError],
    ["was throttled", tooManyRequests(1)],
    ["found no connection", unreachable],
    ["lost a race that changed nothing", lostRace],
  ];
  for (const name of [REF.secret, COMPANION]) {
    it.each(effects)(`is done where a write of ${name} %s`, async (_, effect) => {
      const { put, stage, store, model, entries, everything } = kubernetesWorld();
      const old = await put("k1");
      const { version, base } = await stage("k2", "r2");
      model.once(writesOf(name), effect, 2);
      await store.promote(REF, version, base);
      expect(entries()).toEqual({ LLM_KEY: "k2" });
      const view = await store.observe(REF);
      expect(view).toMatchObject({
        base: version,
        current: { version, hash: "hash-k2" },
        staged: [],
        retained: [{ version: old.version, hash: "hash-k1" }],
      });
      await store.drop(REF, old.version);
      expect(everything()).not.toContain("k1");
    });
  }

  it("gives up as busy, not as moved on, where others write all the time", async () => {
    const { put, stage, store, model, entries } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    model.once(writesOf("payments"), lostRace, 1_000);
    expect(await refusal(store.promote(REF, version, base))).toMatchInlineSnapshot(`
      "busy: Secret payments or its companion was changed by others each of 8 times that a change was tried
      look in its metadata.managedFields who writes it all the time"
    `);
    expect(entries()).toEqual({ LLM_KEY: "k1" });
  });

  it("stays unclear where no write is ever answered", async () => {
    const { put, stage, store, model } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    model.once(writesOf("payments"), timeout, 1_000);
    await expect(store.promote(REF, version, base)).rejects.toMatchObject({ code: "unclear" });
  });

  it("that died before the companion was tidied is tidied by the next look", async () => {
    const { put, stage, store, model, entries, everything, find, open } = kubernetesWorld();
    await put("k1");
    const { version, base } = await stage("k2", "r2");
    let writes = 0;
    const dead = model.interpose((call, proceed) => {
      if (call.name === COMPANION && call.verb === "patch" && ++writes === 2) return new Promise(() => {});
      return proceed();
    });
    void store.promote(REF, version, base);
    await expect.poll(() => writes).toBe(2);
    dead();
    expect(entries()).toEqual({ LLM_KEY: "k2" });
    const view = await open().observe(REF);
    expect(view.staged).toEqual([]);
    await store.drop(REF, view.retained?.[0]?.version ?? "");
    expect(everything()).not.toContain("k1");
    expect(find(COMPANION)?.data ?? {}).toEqual({});
  });
});

describe("plaintext in Kubernetes", () => {
  it("stands in the companion only while a rotation needs it", async () => {
    const { put, stage, store, entries, find } = kubernetesWorld();
    const first = await put("k1");
    expect(find(COMPANION)?.data ?? {}).toEqual({});
    const next = await stage("k2", "r2");
    expect(Object.values(entries(COMPANION)).join()).toContain("k2");
    expect(JSON.stringify(find("payments"))).not.toContain(base64("k2"));
    await store.promote(REF, next.version, next.base);
    expect(Object.values(entries(COMPANION)).join()).toContain('"k1"');
    expect(Object.values(entries(COMPANION)).join()).not.toContain('"k2"');
    await store.drop(REF, first.version);
    expect(find(COMPANION)?.data ?? {}).toEqual({});
  });

  it("goes out of what kubectl apply has noted, and the rest of the note stays", async () => {
    const { make, put, find, everything, store } = kubernetesWorld();
    const note = { apiVersion: "v1", kind: "Secret", data: { LLM_KEY: base64("k0"), DB: base64("p") } };
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": `${JSON.stringify(note)}\n` };
    make({ LLM_KEY: "k0", DB: "p" }, { metadata: { annotations } });
    expect((await store.observe(REF)).warnings).toEqual([
      expect.stringContaining("the next apply would put it back"),
    ]);
    await put("k2");
    const after = find("payments")?.metadata.annotations ?? {};
    expect(JSON.parse(after["kubectl.kubernetes.io/last-applied-configuration"] ?? "")).toEqual({
      ...note,
      data: { DB: base64("p") },
    });
    for (const { version } of (await store.observe(REF)).retained ?? []) await store.drop(REF, version);
    expect(everything()).not.toContain(base64("k0"));
    expect((await store.observe(REF)).warnings).toEqual([]);
  });

  it("of a replaced value is found again by a person's hand that puts it back", async () => {
    const { put, store, edit } = kubernetesWorld();
    await put("k1");
    await put("k2");
    edit((secret) => Object.assign(secret.data ?? {}, { LLM_KEY: base64("k1\n") }));
    const view = await store.observe(REF);
    expect(view.current?.value?.reveal()).toBe("k1");
    expect(view.current?.hash).toBe("hash-k1");
    expect(view.warnings).toEqual([expect.stringContaining("was changed by someone else")]);
  });

  it("of two keys of one Secret is kept for each as long as it may be gone back to", async () => {
    const { put, store, edit } = kubernetesWorld();
    const OTHER = { ...REF, field: "BATCH_KEY" };
    const llm = await put("k1");
    await put("b1", OTHER);
    await put("b2", OTHER);
    expect((await store.read(REF, llm.version))?.reveal()).toBe("k1");
    const before = (await store.observe(REF)).base;
    await put("k2");
    expect((await store.read(REF, before))?.reveal()).toBe("k1");
    expect((await store.read(OTHER, before))?.reveal()).toBe("b2");
    edit((secret) => Object.assign(secret.data ?? {}, { BATCH_KEY: base64("by hand") }));
    expect((await store.observe(REF)).current?.hash).toBe("hash-k2");
    expect((await store.observe(OTHER)).current?.hash).toBeUndefined();
  });
});

describe("a fence in Kubernetes", () => {
  it("fails a promotion into an entry that is not there, beside others that are", async () => {
    const { make, store, stage, entries } = kubernetesWorld();
    make({ DB: "p" });
    await store.claim(REF, OWNER, { create: false });
    const { version, base } = await stage("k1");
    await store.fence(REF, base);
    expect(await refusal(store.promote(REF, version, base))).toMatch(/^conflict: /);
    expect(entries()).toEqual({ DB: "p" });
    expect((await store.observe(REF)).base).not.toBe(base);
  });

  it("is not needed where there is no Secret", async () => {
    const { store, model } = kubernetesWorld();
    await store.fence(REF, (await store.observe(REF)).base);
    expect(model.calls.every(({ verb }) => verb === "get")).toBe(true);
  });
});
