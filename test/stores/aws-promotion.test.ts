import { describe, expect, it } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { awsWorld, OWNER, refusal } from "./aws-world.ts";

const REF = { secret: "prod/payments" };
const FIELD = { secret: "prod/shared", field: "LLM_KEY" };

describe("a rotation in AWS", () => {
  it("calls AWS as seldom as it can", async () => {
    const { store, edit, callsOf, stage } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    expect((await callsOf(() => store.observe(REF))).sort()).toEqual(["DescribeSecret", "GetSecretValue"]);
    expect(await callsOf(() => store.claim(REF, OWNER, { create: false }))).toEqual([
      "DescribeSecret",
      "TagResource",
    ]);
    const { base } = await store.observe(REF);
    const request = { rotation: "r1", hash: "h2", value: new Secret("k2"), base };
    let version = "";
    const staged = async () => {
      version = (await store.stage(REF, request)).version;
    };
    expect(await callsOf(staged)).toEqual(["PutSecretValue"]);
    expect(await callsOf(() => store.read(REF, version))).toEqual(["GetSecretValue"]);
    expect(await callsOf(() => store.read(REF, version))).toEqual([]);
    await store.observe(REF);
    const promoted = async () => {
      await store.promote(REF, version, base);
      await store.letGo?.(REF);
    };
    expect(await callsOf(promoted)).toEqual([
      "UpdateSecretVersionStage",
      "UpdateSecretVersionStage",
      "UpdateSecretVersionStage",
    ]);
    expect(await callsOf(() => store.drop(REF, base))).toEqual([
      "DescribeSecret",
      "UpdateSecretVersionStage",
    ]);

    const next = await stage(REF, "k3", "r2");
    await store.observe(REF);
    const promotedNext = async () => {
      await store.promote(REF, next.version, version);
      await store.letGo?.(REF);
    };
    expect(await callsOf(promotedNext)).toEqual(["UpdateSecretVersionStage", "UpdateSecretVersionStage"]);
    await store.observe(REF);
    expect(await callsOf(() => store.drop(REF, version))).toEqual(["UpdateSecretVersionStage"]);
  });

  it("does not stay with what it saw where another has written since", async () => {
    const { store, edit, stage } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    const { version, base } = await stage(REF, "k2");
    await store.observe(REF);
    edit(REF.secret, { SecretString: "k9" });
    expect(await refusal(store.promote(REF, version, base))).toMatch(/^conflict/);
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("k9");
  });

  it("keeps what a version holds in mind for the steps that follow, and no longer", async () => {
    const { store, edit, callsOf, clock } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    await store.observe(REF);
    await clock.sleep(20_000);
    expect(await callsOf(() => store.observe(REF))).toEqual(["DescribeSecret"]);
    await clock.sleep(20_000);
    expect(await callsOf(() => store.observe(REF))).toEqual(["DescribeSecret", "GetSecretValue"]);
    await store.letGo?.(REF);
    expect(await callsOf(() => store.observe(REF))).toEqual(["DescribeSecret", "GetSecretValue"]);
  });

  it("reads a secret that was made anew, though its version has the same id", async () => {
    const { store, model } = awsWorld();
    const put = (SecretString: string) =>
      model.perform("CreateSecret", { Name: REF.secret, ClientRequestToken: "e".repeat(32), SecretString });
    put("k1");
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("k1");
    model.perform("DeleteSecret", { SecretId: REF.secret, ForceDeleteWithoutRecovery: true });
    put("k2");
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("k2");
  });

  it("leaves one label of ours on what is current, and none on what was dropped", async () => {
    const { store, edit, stage, labels } = awsWorld();
    const old = edit(REF.secret, { SecretString: "k1" });
    const { version, base } = await stage(REF, "k2");
    await store.promote(REF, version, base);
    await store.drop(REF, old);
    expect(labels(REF.secret)).toEqual({
      [old]: ["AWSPREVIOUS"],
      [version]: ["AWSCURRENT", expect.stringMatching(/^KEYTURN-holds:/)],
    });
  });

  it("puts no label on a version that has no value in the field, since nobody would take it off again", async () => {
    const { edit, put, stage, store, labels } = awsWorld();
    const without = edit(FIELD.secret, { SecretString: '{"DB":"p1"}' });
    const first = await put(FIELD, "k1");
    expect(labels(FIELD.secret)[without]).toEqual(["AWSPREVIOUS"]);
    const edited = edit(FIELD.secret, { SecretString: '{"DB":"p2","LLM_KEY":"k1"}' });
    const next = await stage(FIELD, "k2", "r2");
    await store.promote(FIELD, next.version, next.base);
    expect(labels(FIELD.secret)[edited]).toEqual(["AWSPREVIOUS", `KEYTURN-previous-${edited}`]);
    expect((await store.read(FIELD, edited))?.reveal()).toBe("k1");
    expect(labels(FIELD.secret)[first.version]).toEqual([expect.stringMatching(/^KEYTURN-holds:/)]);
  });

  it("goes on for years without running out of versions or labels", async () => {
    const { clock, model, store, put } = awsWorld();
    let old = await put(FIELD, "k0");
    for (let round = 1; round <= 150; round += 1) {
      await clock.sleep(7 * 24 * 3_600_000);
      const next = await put(FIELD, `k${round}`);
      await store.drop(FIELD, old.version);
      old = next;
    }
    expect(Object.keys(model.secret(FIELD.secret)?.labels ?? {})).toHaveLength(3);
  });

  it("puts one key back time after time without running out of labels", async () => {
    const { clock, store, put, stage } = awsWorld();
    await put(REF, "k1");
    for (let round = 1; round <= 30; round += 1) {
      await clock.sleep(24 * 3_600_000);
      const { version } = await put(REF, `k2-${round}`);
      const back = await stage(REF, "k1", `r${round}-back`);
      await store.promote(REF, back.version, back.base);
      await store.drop(REF, version);
      expect((await store.read(REF, back.version))?.reveal()).toBe("k1");
    }
  });

  it("survives the loss of every reply", async () => {
    for (const action of ["PutSecretValue", "UpdateSecretVersionStage", "TagResource", "CreateSecret"]) {
      const { model, store, put } = awsWorld();
      await put(REF, "k1");
      model.knobs.lostReplies.push(action, action);
      await put(REF, "k2");
      await store.claim({ secret: "new" }, OWNER, { create: true });
      expect(model.current(REF.secret)).toBe("k2");
      expect((await store.observe(REF)).staged).toEqual([]);
      expect((await store.observe({ secret: "new" })).owner).toEqual(OWNER);
    }
  });

  it("says that a write may have happened when its reply was lost and then AWS could not be reached", async () => {
    const { model, store, stage } = awsWorld();
    await store.claim(REF, OWNER, { create: true });
    model.knobs.lostReplies.push(...Array<string>(4).fill("PutSecretValue"));
    expect(await refusal(stage(REF, "k1"))).toMatch(/^unclear: AWS PutSecretValue of secret prod\/payments/);
    expect(model.current(REF.secret)).toBe("k1");
    expect((await stage(REF, "k1")).version).toBe(Object.values(model.secret(REF.secret)?.labels ?? {})[0]);
    expect(model.secret(REF.secret)?.versions).toHaveLength(1);
  });

  it("stages a dropped version again, labels and all", async () => {
    const { store, put, stage } = awsWorld();
    await put(REF, "k1");
    const first = await stage(REF, "k2");
    await store.drop(REF, first.version);
    const again = await stage(REF, "k2");
    expect(again.version).toBe(first.version);
    await store.promote(REF, again.version, again.base);
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("k2");
  });

  it("loses to whoever was first, and says what is current", async () => {
    const { store, put, stage, edit } = awsWorld();
    await put(REF, "k1");
    const { version, base } = await stage(REF, "k2");
    const theirs = edit(REF.secret, { SecretString: "by hand" });
    expect(await refusal(store.promote(REF, version, base))).toBe(
      `conflict: secret prod/payments has moved on: expected ${base}, found ${theirs}\nlook at it again`,
    );
  });

  it("is refused by AWS itself when current moves between the look and the promotion", async () => {
    const { model, store, put, stage, edit } = awsWorld();
    await put(REF, "k1");
    const { version, base } = await stage(REF, "k2");
    const perform = model.perform.bind(model);
    let theirs = "";
    model.perform = (action, input) => {
      if (input.VersionStage === "AWSCURRENT" && !theirs)
        theirs = edit(REF.secret, { SecretString: "by hand" });
      return perform(action, input);
    };
    expect(await refusal(store.promote(REF, version, base))).toMatch(/^conflict: .* has moved on/);
    expect(model.secret(REF.secret)?.labels.AWSCURRENT).toBe(theirs);
  });

  it("never makes a version current that a person made current's predecessor again", async () => {
    const { model, store, put } = awsWorld();
    const first = await put(REF, "k1");
    const second = await put(REF, "k2");
    model.perform("UpdateSecretVersionStage", {
      SecretId: REF.secret,
      VersionStage: "AWSCURRENT",
      MoveToVersionId: first.version,
      RemoveFromVersionId: second.version,
    });
    expect(await refusal(store.promote(REF, second.version, first.version))).toMatch(
      /^conflict: .* was current before/,
    );
    expect(model.current(REF.secret)).toBe("k1");
  });
});

describe("the secret that AWS keeps", () => {
  it("is made with the key, tags and description of the policy, and without a version", async () => {
    const { model, open } = awsWorld();
    const config = { kmsKeyId: "alias/keys", description: "for payments", tags: { team: "payments" } };
    await open(config).claim(REF, OWNER, { create: true });
    expect(model.secret(REF.secret)).toMatchObject({
      kmsKeyId: "alias/keys",
      description: "for payments",
      tags: { team: "payments", "keyturn:installation": "prod", "keyturn:journal": "j1" },
      versions: [],
    });
  });

  it("keeps its layout and every other field as they were written", async () => {
    for (const [before, after] of [
      ['{"a":1.10,"LLM_KEY":"k1","z":"é"}', '{"a":1.10,"LLM_KEY":"k2","z":"é"}'],
      [
        '{\n  "LLM_KEY": "k1",\n  "n": 12345678901234567890\n}\n',
        '{\n  "LLM_KEY": "k2",\n  "n": 12345678901234567890\n}\n',
      ],
    ] as const) {
      const { model, edit, put } = awsWorld();
      edit(FIELD.secret, { SecretString: before });
      await put(FIELD, "k2");
      expect(model.current(FIELD.secret)).toBe(after);
    }
  });

  it("is in no stage once it is promoted, and is staged as another version, though its label still stands", async () => {
    const { store, model, put, stage } = awsWorld();
    const { version: from } = await put(REF, "k1");
    const { version } = await stage(REF, "k2", "r2");
    const labels = { SecretId: REF.secret, VersionStage: "AWSCURRENT" };
    const moved = { MoveToVersionId: version, RemoveFromVersionId: from };
    model.perform("UpdateSecretVersionStage", { ...labels, ...moved });
    expect(model.secret(REF.secret)?.labels).toHaveProperty("KEYTURN-r2-hash-k2", version);
    const view = await store.observe(REF);
    expect(view.current).toMatchObject({ version, hash: "hash-k2" });
    expect(view.staged).toEqual([]);
    expect((await stage(REF, "k2", "r2")).version).not.toBe(version);
  });

  it("may be named by its ARN", async () => {
    const { model, edit, put } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    await put({ secret: model.secret(REF.secret)?.arn ?? "" }, "k2");
    expect(model.current(REF.secret)).toBe("k2");
  });
});

describe("another rotation of the same secret", () => {
  it("in flight is named by its version, and its label is left alone", async () => {
    const { store, model, put, edit } = awsWorld();
    await put(REF, "k1");
    const pending = edit(REF.secret, { SecretString: "theirs" }, ["AWSPENDING"]);
    expect((await store.observe(REF)).foreign).toBe(
      `version ${pending} bears AWSPENDING: another rotation is in flight, or died; if it is dead, remove that label from it`,
    );
    expect(model.secret(REF.secret)?.labels.AWSPENDING).toBe(pending);
  });

  it("by a Lambda is foreign, and one that AWS does by itself is warned about", async () => {
    const { store, model, put } = awsWorld();
    await put(REF, "k1");
    const lambda = "arn:aws:lambda:eu-west-1:111122223333:function:rotate";
    model.alter(REF.secret, { rotation: { enabled: true, lambda } });
    expect((await store.observe(REF)).foreign).toContain(lambda);
    model.alter(REF.secret, { rotation: { enabled: true } });
    const view = await store.observe(REF);
    expect(view.foreign).toBeUndefined();
    expect(view.warnings).toEqual([
      "AWS rotates secret prod/payments by itself; turn that off, or leave the secret out of the policy",
    ]);
  });

  it("that has ended leaves its label on current, which does not look like one in flight later", async () => {
    const { store, put, edit } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    edit(REF.secret, { SecretString: "k2" }, ["AWSPENDING", "AWSCURRENT"]);
    expect((await store.observe(REF)).foreign).toBeUndefined();
    const second = await put(REF, "k3");
    await put(REF, "k4");
    await store.drop(REF, second.version);
    expect((await store.observe(REF)).foreign).toBeUndefined();
  });

  it("by another service of AWS is said before anything is written", async () => {
    const { store, model, put } = awsWorld();
    await put(REF, "k1");
    model.alter(REF.secret, { owningService: "rds" });
    expect((await store.observe(REF)).foreign).toBe(
      "the secret belongs to rds, and only that service may change it",
    );
  });
});
