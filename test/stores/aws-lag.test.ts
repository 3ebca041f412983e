import { describe, expect, it } from "vitest";
import { awsWorld, OWNER } from "./aws-world.ts";

const REF = { secret: "prod/payments" };
const LAG = 1_500;

describe("reads that lag behind writes", () => {
  it("do not disturb a rotation of the process that wrote", async () => {
    const { clock, model, store, put } = awsWorld();
    model.knobs.describeLag = LAG;
    model.knobs.getLag = 2 * LAG;
    const first = await put(REF, "k1");
    const second = await put(REF, "k2");
    expect(model.current(REF.secret)).toBe("k2");
    const view = await store.observe(REF);
    expect(view).toMatchObject({ current: { version: second.version, hash: "hash-k2" }, owner: OWNER });
    expect(view.current?.value?.reveal()).toBe("k2");
    expect((await store.read(REF, first.version))?.reveal()).toBe("k1");
    await store.drop(REF, first.version);
    await clock.sleep(2 * LAG);
    expect(await store.read(REF, first.version)).toBeUndefined();
  });

  it("show another process the past, and its promotion upon that fails without harm", async () => {
    const { clock, model, put, open, stage } = awsWorld();
    await put(REF, "k1");
    await clock.sleep(60_000);
    const late = open();
    const { version, base } = await stage(REF, "k3", "r3", late);
    await put(REF, "k2");
    model.knobs.describeLag = LAG;
    await expect(late.promote(REF, version, base)).rejects.toMatchObject({ code: "conflict" });
    expect(model.current(REF.secret)).toBe("k2");
  });

  it("are told apart from a person who puts the old version back: that is believed after a while", async () => {
    const { clock, model, store, put } = awsWorld();
    const first = await put(REF, "k1");
    const second = await put(REF, "k2");
    model.perform("UpdateSecretVersionStage", {
      SecretId: REF.secret,
      VersionStage: "AWSCURRENT",
      MoveToVersionId: first.version,
      RemoveFromVersionId: second.version,
    });
    const before = clock.now();
    expect((await store.observe(REF)).current?.version).toBe(first.version);
    expect(clock.now() - before).toBeGreaterThan(5_000);
    expect((await store.observe(REF)).current?.version).toBe(first.version);
  });

  it("do not hide a person's edit after a promotion", async () => {
    const { clock, store, put, edit } = awsWorld();
    await put(REF, "k1");
    await put(REF, "k2");
    const before = clock.now();
    edit(REF.secret, { SecretString: "by hand" });
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("by hand");
    expect(clock.now()).toBe(before);
  });

  it("that never catch up with a value are unclear, and not an absent secret", async () => {
    const { model, store, put } = awsWorld();
    await put(REF, "k1");
    model.knobs.getLag = 3_600_000;
    await expect(store.observe(REF)).rejects.toMatchObject({
      code: "unclear",
      message: expect.stringContaining("but not its value"),
    });
  });
});
