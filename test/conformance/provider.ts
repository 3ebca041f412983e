import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Secret } from "../../src/lib/secret.ts";
import type { Attachment, Provider } from "../../src/providers/provider.ts";

/** A fresh account at a provider, and what the suite needs besides its interface. */
export interface ProviderUnderTest {
  provider: Provider;
  /** The same provider, called with another management credential. */
  withCredential(credential: string): Provider;
  /** Makes `count` keys by other means, and returns their hashes. */
  addKeys(count: number): Promise<string[]> | string[];
  /** Makes a second workspace, and returns its id. */
  addWorkspace?(): Promise<string> | string;
  /** Hangs something on a key by other means. */
  attach?(hash: string): Promise<Attachment> | Attachment;
  close(): Promise<void>;
}

/** What a provider has beyond the least. */
export interface ProviderCapabilities {
  workspaces: boolean;
  byok: boolean;
  /** Restrictions to providers and models. */
  restrictions: boolean;
  /** Whether something can hang on a key. */
  attachments: boolean;
  /** Whether the answer to create shows the settings of the key. */
  createShowsSettings: boolean;
  /** Whether a key shows when it expires. */
  showsExpiry: boolean;
}

/** What the rotation relies on, whichever provider it is. */
export function describeProvider(
  name: string,
  make: () => Promise<ProviderUnderTest>,
  capabilities: ProviderCapabilities,
): void {
  describe(`${name} behaves as a provider`, () => {
    let subject: ProviderUnderTest;
    let provider: Provider;
    beforeEach(async () => {
      subject = await make();
      provider = subject.provider;
    });
    afterEach(() => subject.close());

    const isAccepted = async (key: Secret) => (await provider.current(key)).accepted;

    it("issues a key that works, and shows it by its hash and in the list", async () => {
      const { key, issued } = await provider.create("prod/payments-api/2027-03-10/a1b2", {
        limit: 150,
        limitReset: "monthly",
      });
      const expected = {
        hash: issued.hash,
        name: "prod/payments-api/2027-03-10/a1b2",
        limit: 150,
        limitReset: "monthly",
      };
      expect(issued).toMatchObject(
        capabilities.createShowsSettings
          ? { ...expected, disabled: false }
          : { hash: expected.hash, name: expected.name },
      );
      expect(await provider.get(issued.hash)).toMatchObject(expected);
      expect(await provider.list()).toMatchObject([expected]);
      expect(await provider.current(key)).toMatchObject({ accepted: true, key: { limit: 150 } });
    });

    it("keeps the plaintext out of everything but the secret", async () => {
      const { key, issued } = await provider.create("one", {});
      const shown = JSON.stringify([
        issued,
        key,
        await provider.get(issued.hash),
        await provider.list(),
        await provider.current(key),
      ]);
      expect(shown).not.toContain(key.reveal());
    });

    it("issues two keys of one name as two keys", async () => {
      const first = await provider.create("twin", {});
      const second = await provider.create("twin", {});
      expect(second.issued.hash).not.toBe(first.issued.hash);
      expect((await provider.list()).map(({ name }) => name)).toEqual(["twin", "twin"]);
    });

    it("takes a limit of null as none, and an expiry as an instant", async () => {
      const expiresAt = new Date(Date.now() + 400 * 86_400_000).toISOString().replace(/\.\d+/, "");
      const { issued } = await provider.create("expiring", { limit: null, expiresAt });
      const shown = await provider.get(issued.hash);
      expect(shown?.limit).toBeNull();
      if (capabilities.showsExpiry) expect(Date.parse(shown?.expiresAt ?? "")).toBe(Date.parse(expiresAt));
    });

    it("refuses a key while it is disabled, and accepts it again after", async () => {
      const { key, issued } = await provider.create("switched", {});
      expect(await provider.update(issued.hash, { disabled: true })).toMatchObject({ disabled: true });
      expect(await isAccepted(key)).toBe(false);
      expect(await provider.list()).toMatchObject([{ hash: issued.hash, disabled: true }]);
      await provider.update(issued.hash, { disabled: false });
      expect(await isAccepted(key)).toBe(true);
    });

    it("changes what a patch names, and nothing else", async () => {
      const { issued } = await provider.create("before", { limit: 10, limitReset: "daily" });
      expect(await provider.update(issued.hash, { name: "after" })).toMatchObject({
        name: "after",
        limit: 10,
        limitReset: "daily",
      });
      expect(await provider.update(issued.hash, { limit: null, limitReset: null })).toMatchObject({
        name: "after",
        limit: null,
        limitReset: null,
        disabled: false,
      });
    });

    if (capabilities.byok) {
      it("counts usage by own keys in the limit when asked to", async () => {
        const { issued } = await provider.create("byok", { limit: 5, includeByokInLimit: true });
        expect(issued.includeByokInLimit).toBe(true);
        expect(await provider.update(issued.hash, { includeByokInLimit: false })).toMatchObject({
          includeByokInLimit: false,
        });
      });
    } else {
      it("refuses to count usage by own keys, with nothing sent", async () => {
        await expect(provider.create("byok", { includeByokInLimit: true })).rejects.toMatchObject({
          code: "rejected",
        });
        expect(await provider.list()).toEqual([]);
      });
    }

    if (capabilities.restrictions) {
      it("restricts a key to providers and models, and lifts that again", async () => {
        const restricted = { allowedProviders: ["openai", "anthropic"], allowedModels: ["gpt-5.4"] };
        const { issued } = await provider.create("restricted", restricted);
        expect(await provider.get(issued.hash)).toMatchObject(restricted);
        expect(await provider.update(issued.hash, { allowedModels: [] })).toMatchObject({
          ...restricted,
          allowedModels: [],
        });
        const { issued: free } = await provider.create("free", { allowedProviders: [], allowedModels: [] });
        expect(await provider.get(free.hash)).toMatchObject({ allowedProviders: [], allowedModels: [] });
      });
    } else {
      it("refuses restrictions to providers and models, with nothing sent", async () => {
        await expect(provider.create("free", { allowedModels: ["gpt-5.4"] })).rejects.toMatchObject({
          code: "rejected",
        });
        expect(await provider.list()).toEqual([]);
      });
    }

    it("deletes a key for good, and says absent when asked again", async () => {
      const { key, issued } = await provider.create("doomed", {});
      expect(await provider.delete(issued.hash)).toBe("deleted");
      expect(await provider.delete(issued.hash)).toBe("absent");
      expect(await provider.get(issued.hash)).toBeUndefined();
      expect(await provider.list()).toEqual([]);
      expect(await isAccepted(key)).toBe(false);
    });

    it("answers a read of an unknown hash with undefined, and a patch with absent", async () => {
      expect(await provider.get("0".repeat(64))).toBeUndefined();
      await expect(provider.update("0".repeat(64), { disabled: true })).rejects.toMatchObject({
        code: "absent",
      });
    });

    it("lists every key of several pages once", async () => {
      const hashes = await subject.addKeys(257);
      const listed = (await provider.list()).map(({ hash }) => hash);
      expect(listed.length).toBe(257);
      expect(new Set(listed)).toEqual(new Set(hashes));
    });

    if (capabilities.workspaces) {
      it("lists the default workspace and those named", async () => {
        const workspace = (await subject.addWorkspace?.()) ?? "";
        const here = await provider.create("here", {});
        const there = await provider.create("there", { workspaceId: workspace });
        expect((await provider.list()).map(({ hash }) => hash)).toEqual([here.issued.hash]);
        expect((await provider.list([workspace])).map(({ hash }) => hash).sort()).toEqual(
          [here.issued.hash, there.issued.hash].sort(),
        );
      });
    } else {
      it("refuses to list a workspace, as it has none", async () => {
        await expect(provider.list(["w"])).rejects.toMatchObject({ code: "rejected" });
      });
    }

    if (capabilities.attachments) {
      it("carries what hangs on a key over to another, and shows it there", async () => {
        const { issued: old } = await provider.create("old", {});
        const { issued: fresh } = await provider.create("fresh", {});
        const attached = await subject.attach?.(old.hash);
        const carried = (await provider.attachments?.read(old.hash)) ?? [];
        expect(carried).toEqual([attached]);
        expect(await provider.attachments?.read(fresh.hash)).toEqual([]);
        for (let times = 0; times < 2; times++) {
          await provider.attachments?.put(fresh.hash, carried);
          expect(await provider.attachments?.read(fresh.hash)).toEqual(carried);
        }
        expect(await provider.attachments?.read(old.hash)).toEqual(carried);
      });
    } else {
      it("says that nothing can hang on a key", () => {
        expect(provider.attachments).toBeUndefined();
        expect(provider.uncarried).toBeUndefined();
      });
    }

    it("is refused with a credential that is not accepted, and nothing is made", async () => {
      const stranger = subject.withCredential("not-a-management-key");
      await expect(stranger.list()).rejects.toMatchObject({ code: "unauthorized" });
      await expect(stranger.create("x", {})).rejects.toMatchObject({ code: "unauthorized" });
      expect(await provider.list()).toEqual([]);
    });

    it("is refused with an ordinary key, and says that a management key is needed", async () => {
      const { key } = await provider.create("ordinary", {});
      const error = await subject
        .withCredential(key.reveal())
        .create("x", {})
        .catch((thrown) => thrown);
      expect(["unauthorized", "forbidden"]).toContain(error.code);
      expect(error.hint).toContain("management key");
    });

    it("knows the provider's clock after the first answer", async () => {
      expect(provider.skewMs()).toBeUndefined();
      await provider.list();
      expect(Math.abs(provider.skewMs() ?? Number.NaN)).toBeLessThan(5000);
    });
  });
}
