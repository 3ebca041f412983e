import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { SecretRef, StagedVersion, Store } from "../../src/stores/store.ts";

/** A store under test, and the hands of others upon it. */
export interface StoreBench {
  store: Store;
  /** A second handle on the same secrets, as another process has it. */
  another(): Promise<Store>;
  /** A person sets the value at `ref`, keeping other fields. */
  write(ref: SecretRef, value: string): Promise<void>;
  /** A person replaces the whole text of the secret, in the place for the shape that `ref` has. */
  overwrite(ref: SecretRef, text: string): Promise<void>;
  close(): Promise<void>;
}

export interface StoreCapabilities {
  /** The first version of a secret becomes current however it is staged. */
  firstVersionIsCurrent: boolean;
  /** What a person writes is a version like any other: those before it stay as they were. */
  editsAreVersions: boolean;
  /** What a person writes takes no label off another version. */
  editsKeepLabels: boolean;
  /** A secret is always a map of texts: there is no whole one, and no JSON to be damaged. */
  onlyFields?: boolean;
}

const OURS = { installation: "prod", journal: "j1" };
const THEIRS = { installation: "laptop", journal: "j2" };
const FIELD = { secret: "shared", field: "LLM_KEY" };
const OTHER = { secret: "shared", field: "DB_PASSWORD" };

/** What every store does. Each backend runs it, the ones made for tests included. */
export function describeStore(
  name: string,
  make: () => Promise<StoreBench>,
  capabilities: StoreCapabilities,
): void {
  describe(`${name} keeps the contract of a store`, () => {
    let bench: StoreBench;
    let store: Store;
    beforeEach(async () => {
      bench = await make();
      store = bench.store;
    });
    afterEach(() => bench.close());

    const value = async (ref: SecretRef, handle = store) =>
      (await handle.observe(ref)).current?.value?.reveal();
    const stage = async (ref: SecretRef, text: string, rotation = "r1", base?: string) =>
      store.stage(ref, {
        rotation,
        hash: `hash-${text}`,
        value: new Secret(text),
        base: base ?? (await store.observe(ref)).base,
      });
    /** Stages and promotes; claims first, so that the secret is there. */
    const put = async (ref: SecretRef, text: string, rotation = `put-${text}`): Promise<StagedVersion> => {
      await store.claim(ref, OURS, { create: true });
      const staged = await stage(ref, text, rotation);
      await store.promote(ref, staged.version, staged.base);
      return staged;
    };

    const refs: SecretRef[] = capabilities.onlyFields ? [FIELD] : [{ secret: "plain" }, FIELD];
    for (const ref of refs) {
      describe(ref.field === undefined ? "a whole secret" : "a field of a secret", () => {
        it("is shown absent, with a base, before it is there", async () => {
          const view = await store.observe(ref);
          expect(view).toMatchObject({ current: undefined, staged: [], owner: undefined });
          expect(view.base).not.toBe("");
        });

        it("is not made by a claim that may not create it", async () => {
          await expect(store.claim(ref, OURS, { create: false })).rejects.toMatchObject({ code: "absent" });
          expect((await store.observe(ref)).owner).toBeUndefined();
        });

        it("carries its owner's stamp once claimed, and the claim may be repeated", async () => {
          await store.claim(ref, OURS, { create: true });
          await store.claim(ref, OURS, { create: false });
          expect(await store.observe(ref)).toMatchObject({ owner: OURS, current: undefined });
        });

        it("cannot be staged before it is there", async () => {
          await expect(stage(ref, "k1")).rejects.toMatchObject({ code: "absent" });
          expect((await store.observe(ref)).current).toBeUndefined();
        });

        it(`has its first version ${capabilities.firstVersionIsCurrent ? "current at once" : "aside until it is promoted"}`, async () => {
          await store.claim(ref, OURS, { create: true });
          const staged = await stage(ref, "k1");
          expect(staged).toMatchObject({ rotation: "r1", hash: "hash-k1" });
          const first = await store.observe(ref);
          if (capabilities.firstVersionIsCurrent)
            expect(first).toMatchObject({
              current: { version: staged.version },
              staged: [{ version: staged.version, rotation: "r1", hash: "hash-k1", base: staged.base }],
            });
          else expect(first).toMatchObject({ current: undefined, base: staged.base });
          await store.promote(ref, staged.version, staged.base);
          expect((await store.observe(ref)).current?.version).toBe(staged.version);
          expect(await value(ref)).toBe("k1");
        });

        it("is rotated without current changing before the promotion", async () => {
          const old = await put(ref, "k1");
          const next = await stage(ref, "k2", "r2");
          const before = await store.observe(ref);
          expect(before.current?.version).toBe(old.version);
          expect(before.base).toBe(next.base);
          expect(before.staged).toMatchObject([
            { version: next.version, rotation: "r2", hash: "hash-k2", base: next.base },
          ]);
          expect(before.staged[0]?.value?.reveal()).toBe("k2");
          expect((await store.read(ref, next.version))?.reveal()).toBe("k2");

          await store.promote(ref, next.version, next.base);
          const after = await store.observe(ref);
          expect(after.current).toMatchObject({ version: next.version, hash: "hash-k2" });
          expect(after.staged).toEqual([]);
          expect(after.base).not.toBe(before.base);
        });

        it("keeps the version that was replaced until it is dropped", async () => {
          const old = await put(ref, "k1");
          await put(ref, "k2");
          expect((await store.read(ref, old.version))?.reveal()).toBe("k1");
          await store.drop(ref, old.version);
          expect(await store.read(ref, old.version)).toBeUndefined();
          expect(await value(ref)).toBe("k2");
          await store.drop(ref, old.version);
        });

        it("does not lose current to a drop", async () => {
          const { version } = await put(ref, "k1");
          await expect(store.drop(ref, version)).rejects.toMatchObject({ code: "conflict" });
          expect(await value(ref)).toBe("k1");
        });

        it("has no version that nobody wrote", async () => {
          await put(ref, "k1");
          expect(await store.read(ref, "6e9c1f0e-0000-5000-8000-000000000000")).toBeUndefined();
          await store.drop(ref, "6e9c1f0e-0000-5000-8000-000000000000");
          const { base } = await store.observe(ref);
          await expect(
            store.promote(ref, "6e9c1f0e-0000-5000-8000-000000000000", base),
          ).rejects.toMatchObject({ code: "absent" });
        });

        it("answers a repeated stage with the same version, before and after promotion", async () => {
          await put(ref, "k1");
          const { base } = await store.observe(ref);
          const first = await stage(ref, "k2", "r2", base);
          expect((await stage(ref, "k2", "r2", base)).version).toBe(first.version);
          expect((await store.observe(ref)).staged).toHaveLength(1);
          await store.promote(ref, first.version, base);
          expect((await stage(ref, "k2", "r2", base)).version).toBe(first.version);
          await store.promote(ref, first.version, base);
          const view = await store.observe(ref);
          expect(view.current?.version).toBe(first.version);
          expect(view.staged).toEqual([]);
        });

        it("refuses another value under the token of a version that is there", async () => {
          await put(ref, "k1");
          const { base } = await store.observe(ref);
          const { version } = await stage(ref, "k2", "r2", base);
          const other = store.stage(ref, {
            rotation: "r2",
            hash: "hash-k2",
            value: new Secret("not-k2"),
            base,
          });
          await expect(other).rejects.toMatchObject({ code: "conflict" });
          expect((await store.read(ref, version))?.reveal()).toBe("k2");
        });

        it("gives rotations, hashes and bases versions of their own", async () => {
          await put(ref, "k1");
          const a = await stage(ref, "k2", "r2");
          const b = await stage(ref, "k2", "r3");
          const c = await stage(ref, "k3", "r3");
          await store.promote(ref, a.version, a.base);
          const d = await stage(ref, "k2", "r2");
          expect(new Set([a, b, c, d].map(({ version }) => version)).size).toBe(4);
        });

        it("lets one of two promotions from the same base win", async () => {
          await put(ref, "k1");
          const rival = await bench.another();
          const mine = await stage(ref, "k2", "r2");
          const theirs = await stage(ref, "k3", "r3");
          await rival.promote(ref, theirs.version, theirs.base);
          await expect(store.promote(ref, mine.version, mine.base)).rejects.toMatchObject({
            code: "conflict",
          });
          expect(await value(ref)).toBe("k3");
          expect(await value(ref, rival)).toBe("k3");
        });

        it("refuses to stage upon a base that has gone", async () => {
          await put(ref, "k1");
          const { base } = await store.observe(ref);
          await put(ref, "k2");
          await expect(stage(ref, "k3", "r3", base)).rejects.toMatchObject({ code: "conflict" });
        });

        it("never makes a version current twice", async () => {
          const old = await put(ref, "k1");
          await put(ref, "k2");
          const { base } = await store.observe(ref);
          await expect(store.promote(ref, old.version, base)).rejects.toBeInstanceOf(RotationError);
          expect(await value(ref)).toBe("k2");
        });

        it("brings an old value back as a new version", async () => {
          const old = await put(ref, "k1");
          await put(ref, "k2");
          const back = await put(ref, "k1", "rollback");
          expect(back.version).not.toBe(old.version);
          expect((await store.observe(ref)).current).toMatchObject({
            version: back.version,
            hash: "hash-k1",
          });
        });

        it("forgets a staged version that is dropped", async () => {
          await put(ref, "k1");
          const staged = await stage(ref, "k2", "r2");
          await store.drop(ref, staged.version);
          expect((await store.observe(ref)).staged).toEqual([]);
          await expect(store.promote(ref, staged.version, staged.base)).rejects.toMatchObject({
            code: "absent",
          });
          expect(await value(ref)).toBe("k1");
        });

        it("shows a person's edit as current, of unknown origin, and fails what expected otherwise", async () => {
          const old = await put(ref, "k1");
          const staged = await stage(ref, "k2", "r2");
          await bench.write(ref, "by-hand");
          const view = await store.observe(ref);
          expect(view.current?.value?.reveal()).toBe("by-hand");
          expect(view.current?.hash).toBeUndefined();
          expect(view.base).not.toBe(old.version);
          await expect(store.promote(ref, staged.version, staged.base)).rejects.toMatchObject({
            code: "conflict",
          });
          expect(await value(ref)).toBe("by-hand");
          expect((await store.read(ref, view.current?.version ?? ""))?.reveal()).toBe("by-hand");
        });

        it("takes what a person has put there as its first version", async () => {
          await bench.write(ref, "by-hand");
          const view = await store.observe(ref);
          expect(view.current?.value?.reveal()).toBe("by-hand");
          expect(view.current?.hash).toBeUndefined();
          await store.claim(ref, OURS, { create: false });
          expect((await store.observe(ref)).base).toBe(view.base);
          await put(ref, "k2");
          expect(await value(ref)).toBe("k2");
          expect((await store.read(ref, view.current?.version ?? ""))?.reveal()).toBe("by-hand");
        });

        it("refuses another owner until it takes over", async () => {
          await store.claim(ref, OURS, { create: true });
          const rival = await bench.another();
          const claim = rival.claim(ref, THEIRS, { create: true });
          await expect(claim).rejects.toMatchObject({
            code: "conflict",
            message: expect.stringContaining("prod"),
          });
          expect((await store.observe(ref)).owner).toEqual(OURS);
          await rival.claim(ref, THEIRS, { create: true, takeOver: true });
          expect((await store.observe(ref)).owner).toEqual(THEIRS);
        });

        it("is fenced while nothing is current, so that what expected the old base fails", async () => {
          await store.claim(ref, OURS, { create: true });
          const { base } = await store.observe(ref);
          await store.fence(ref, base);
          const fenced = await store.observe(ref);
          expect(fenced.base).not.toBe(base);
          expect(fenced.current).toBeUndefined();
          await expect(stage(ref, "k1", "r1", base)).rejects.toMatchObject({ code: "conflict" });
          await store.fence(ref, base);
          await put(ref, "k2");
          expect(await value(ref)).toBe("k2");
        });

        it("is not fenced when something has become current meanwhile", async () => {
          await store.claim(ref, OURS, { create: true });
          const { base } = await store.observe(ref);
          await put(ref, "k1");
          await expect(store.fence(ref, base)).rejects.toMatchObject({ code: "conflict" });
          expect(await value(ref)).toBe("k1");
        });

        it("shows the same to a second handle", async () => {
          await put(ref, "k1");
          await stage(ref, "k2", "r2");
          expect(await (await bench.another()).observe(ref)).toEqual(await store.observe(ref));
        });

        it("refuses an empty value", async () => {
          await put(ref, "k1");
          await expect(stage(ref, "", "r2")).rejects.toMatchObject({ code: "rejected" });
        });

        it("shows no plaintext when it is printed", async () => {
          await put(ref, "k1");
          const { base } = await store.observe(ref);
          await store.stage(ref, { rotation: "r2", hash: "h2", value: new Secret("sk-canary"), base });
          await store.promote(ref, (await store.observe(ref)).staged[0]?.version ?? "", base);
          await store.stage(ref, {
            rotation: "r3",
            hash: "h3",
            value: new Secret("sk-canary"),
            base: (await store.observe(ref)).base,
          });
          const view = await store.observe(ref);
          expect([view.current?.value?.reveal(), view.staged[0]?.value?.reveal()]).toEqual([
            "sk-canary",
            "sk-canary",
          ]);
          expect(JSON.stringify(view) + inspect(view, { depth: 9, showHidden: true })).not.toContain(
            "sk-canary",
          );
        });
      });
    }

    if (!capabilities.firstVersionIsCurrent) {
      it("fails a first promotion whose base was fenced", async () => {
        await store.claim(FIELD, OURS, { create: true });
        const staged = await stage(FIELD, "k1");
        await store.fence(FIELD, staged.base);
        await expect(store.promote(FIELD, staged.version, staged.base)).rejects.toMatchObject({
          code: "conflict",
        });
        expect((await store.observe(FIELD)).current).toBeUndefined();
      });
    }

    describe("a secret with several fields", () => {
      it("keeps every other field, whatever its type", async () => {
        await bench.overwrite(
          FIELD,
          '{"LLM_KEY":"k1","DB_PASSWORD":"p","big":12345678901234567890,"deep":{"a":[1,null,"x"]}}',
        );
        const { version } = await put(FIELD, "k2");
        expect(await value(OTHER)).toBe("p");
        expect((await store.read(OTHER, version))?.reveal()).toBe("p");
        expect(await value(FIELD)).toBe("k2");
      });

      it("has no value for a field that is missing, empty or null, beside others that have one", async () => {
        await bench.overwrite(FIELD, '{"DB_PASSWORD":"p","EMPTY":"","NULL":null}');
        for (const field of ["LLM_KEY", "EMPTY", "NULL", "constructor", "__proto__"]) {
          const { current } = await store.observe({ secret: "shared", field });
          expect(current).toBeDefined();
          expect(current?.value).toBeUndefined();
        }
        await put(FIELD, "k1");
        expect([await value(FIELD), await value(OTHER)]).toEqual(["k1", "p"]);
      });

      if (capabilities.editsKeepLabels) {
        it("knows the hash of each field it wrote, also after another field was edited", async () => {
          await put(FIELD, "k1");
          await put(OTHER, "p1");
          await bench.write(OTHER, "p2");
          expect((await store.observe(FIELD)).current?.hash).toBe("hash-k1");
          expect((await store.observe(OTHER)).current?.hash).toBeUndefined();
        });
      }

      it("is staged again upon a person's edit of another field, and loses neither", async () => {
        await put(FIELD, "k1");
        const first = await stage(FIELD, "k2", "r2");
        await bench.write(OTHER, "new-password");
        await expect(store.promote(FIELD, first.version, first.base)).rejects.toMatchObject({
          code: "conflict",
        });
        const again = await stage(FIELD, "k2", "r2");
        expect(again.version).not.toBe(first.version);
        await store.promote(FIELD, again.version, again.base);
        expect([await value(FIELD), await value(OTHER)]).toEqual(["k2", "new-password"]);
      });

      it("has fields that rotate independently of one another", async () => {
        await put(FIELD, "k1");
        await put(OTHER, "p1");
        const llm = await stage(FIELD, "k2", "r-llm");
        const db = await stage(OTHER, "p2", "r-db");
        expect((await store.observe(FIELD)).staged.map(({ rotation }) => rotation).sort()).toEqual([
          "r-db",
          "r-llm",
        ]);
        await store.promote(FIELD, llm.version, llm.base);
        await expect(store.promote(OTHER, db.version, db.base)).rejects.toMatchObject({ code: "conflict" });
        await put(OTHER, "p2", "r-db");
        expect([await value(FIELD), await value(OTHER)]).toEqual(["k2", "p2"]);
      });

      it("keeps a stage of another field when one is dropped", async () => {
        await put(FIELD, "k1");
        const llm = await stage(FIELD, "k2", "r-llm");
        await stage(OTHER, "p2", "r-db");
        await store.drop(FIELD, llm.version);
        expect((await store.observe(OTHER)).staged).toMatchObject([{ rotation: "r-db" }]);
      });
    });

    if (capabilities.onlyFields) return;
    describe("what cannot be read", () => {
      it("is never taken for absent when the text is no JSON object", async () => {
        const emptied = capabilities.editsAreVersions ? [] : [""];
        for (const text of ["{ not json", "[]", '"text"', ...emptied]) {
          await bench.overwrite(FIELD, text);
          await expect(store.observe(FIELD)).rejects.toMatchObject({
            code: "unusable",
            hint: expect.any(String),
          });
          await expect(store.claim(FIELD, OURS, { create: true })).rejects.toMatchObject({
            code: "unusable",
          });
        }
      });

      it("is never taken for absent when a secret that was kept is damaged, and mending it helps", async () => {
        const { version, base } = await put(FIELD, "k1");
        await bench.overwrite(FIELD, '{"LLM_KEY":');
        const refused = [
          () => store.observe(FIELD),
          () => stage(FIELD, "k2", "r2", base),
          ...(capabilities.editsAreVersions
            ? []
            : [() => store.read(FIELD, version), () => store.drop(FIELD, base)]),
        ];
        for (const call of refused) await expect(call()).rejects.toMatchObject({ code: "unusable" });
        if (capabilities.editsAreVersions && capabilities.editsKeepLabels)
          expect((await store.read(FIELD, version))?.reveal()).toBe("k1");
        await bench.overwrite(FIELD, '{"LLM_KEY":"k1"}');
        const { current } = await store.observe(FIELD);
        expect(current?.value?.reveal()).toBe("k1");
        if (capabilities.editsKeepLabels) expect(current?.hash).toBe("hash-k1");
        if (!capabilities.editsAreVersions) expect(current?.version).toBe(version);
      });

      it("is said when a field is no string", async () => {
        await bench.overwrite(FIELD, '{"LLM_KEY":42}');
        await expect(store.observe(FIELD)).rejects.toMatchObject({ code: "unusable" });
      });

      it("is said when a field is asked of a plain value, and when no field is named of an object", async () => {
        await put({ secret: "plain" }, "k1");
        await put(FIELD, "k1");
        for (const ref of [{ secret: "plain", field: "LLM_KEY" }, { secret: "shared" }]) {
          await expect(store.observe(ref)).rejects.toMatchObject({
            code: "unusable",
            hint: expect.any(String),
          });
          await expect(stage(ref, "k2", "r2", "absent")).rejects.toMatchObject({ code: "unusable" });
        }
      });
    });
  });
}
