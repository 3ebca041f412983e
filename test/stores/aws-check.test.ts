import { describe, expect, it } from "vitest";
import type { SecretRef, Store } from "../../src/stores/store.ts";
import { awsWorld, OWNER } from "./aws-world.ts";

const ref = { secret: "prod/payments", field: "LLM_KEY" };
const TEXT = { SecretString: '{"LLM_KEY":"k1","DB":"p"}' };
const MARKS = { passed: "✓", failed: "✗", noted: "–" };

/** A secret that a person has made and tagged, as keyturn first meets it. */
function met() {
  const world = awsWorld();
  world.model.perform("CreateSecret", {
    Name: ref.secret,
    ClientRequestToken: "a-person-made-this-version-000000",
    ...TEXT,
    Tags: [{ Key: "team", Value: "payments" }],
  });
  return world;
}

/** The checks as lines, what to do included. */
async function lines(store: Store, at: SecretRef = ref): Promise<string> {
  const { checks = [] } = (await store.check?.(at)) ?? {};
  return checks
    .map(({ check, result, says, hint }) => `${MARKS[result]} ${check}: ${says}${hint ? ` => ${hint}` : ""}`)
    .join("\n");
}

describe("checking a secret without writing", () => {
  it("tries every action that a rotation needs, and leaves everything as it was", async () => {
    const { model, store } = met();
    const before = model.secret(ref.secret);
    expect(await lines(store)).toMatchInlineSnapshot(`
      "✓ secretsmanager:DescribeSecret: allowed
      ✓ secretsmanager:GetSecretValue: allowed
      ✓ secretsmanager:PutSecretValue: allowed (the current version was put again, which AWS ignores)
      ✓ secretsmanager:UpdateSecretVersionStage: allowed (tried with a label that no version bears)
      ✓ secretsmanager:TagResource: allowed (the tag team was given the value that it has)"
    `);
    expect({ ...model.secret(ref.secret), changedAt: 0 }).toEqual({ ...before, changedAt: 0 });
    expect(model.current(ref.secret)).toBe(TEXT.SecretString);
  });

  it("leaves a secret as it was that has been rotated, and the stamp on it untried", async () => {
    const { model, store, put, callsOf } = awsWorld();
    await put(ref, "k1");
    const before = model.secret(ref.secret);
    let said = "";
    const calls = await callsOf(async () => {
      said = await lines(store);
    });
    expect(said).toContain("– secretsmanager:TagResource: not checked: the secret bears its owner's stamp");
    expect(calls).not.toContain("TagResource");
    expect({ ...model.secret(ref.secret), changedAt: 0 }).toEqual({ ...before, changedAt: 0 });
  });

  it.each([
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:UpdateSecretVersionStage",
    "secretsmanager:TagResource",
    "kms:Decrypt",
  ])("names %s where it is denied, and that alone", async (action) => {
    const { model, store } = met();
    model.knobs.denied.add(action);
    const failures = (await lines(store)).split("\n").filter((line) => line.startsWith("✗"));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(new RegExp(`=> allow ${action} `));
  });

  it("does not take current back where a person has changed it meanwhile", async () => {
    const { model, store, edit } = met();
    const perform = model.perform.bind(model);
    model.perform = (action, input) => {
      if (action === "PutSecretValue" && !String(input.ClientRequestToken).startsWith("edit"))
        edit(ref.secret, { SecretString: '{"LLM_KEY":"k2"}' });
      return perform(action, input);
    };
    const said = await lines(store);
    expect(said).toContain("✓ secretsmanager:PutSecretValue");
    expect(model.current(ref.secret)).toBe('{"LLM_KEY":"k2"}');
    const puts = model.calls.filter(({ action }) => action === "PutSecretValue");
    expect(puts.at(-1)?.input.VersionStages).toEqual(["KEYTURN-check"]);
  });

  it("says of a secret that is not there what it could not try", async () => {
    const { store } = awsWorld();
    expect(await lines(store)).toMatchInlineSnapshot(`
      "✓ secretsmanager:DescribeSecret: allowed
      – secretsmanager:CreateSecret: not checked: there is no secret to try it on
      – secretsmanager:GetSecretValue: not checked: there is no secret to try it on
      – secretsmanager:PutSecretValue: not checked: there is no secret to try it on
      – secretsmanager:UpdateSecretVersionStage: not checked: there is no secret to try it on
      – secretsmanager:TagResource: not checked: there is no secret to try it on"
    `);
    expect((await store.check?.(ref))?.found?.exists).toBe(false);
  });

  it("says of a secret without a version, and without tags, what it could not try", async () => {
    const { model, store } = awsWorld();
    model.perform("CreateSecret", { Name: ref.secret, KmsKeyId: "alias/ours" });
    expect(await lines(store)).toMatchInlineSnapshot(`
      "✓ secretsmanager:DescribeSecret: allowed
      – secretsmanager:GetSecretValue: not checked: the secret has no current version
      – secretsmanager:PutSecretValue: not checked: there is no version that could be put again
      – secretsmanager:UpdateSecretVersionStage: not checked: the secret has no version
      – secretsmanager:TagResource: not checked: the secret has no tag that could be put again
      – kms:GenerateDataKey: not checked: only a new version needs it, with the KMS key alias/ours"
    `);
  });

  it("says whose stamp a secret bears, and what is current", async () => {
    const { store, put } = awsWorld();
    await put(ref, "k1");
    const { found } = (await store.check?.(ref)) ?? {};
    expect(found?.view.owner).toEqual(OWNER);
    expect(found?.view.current?.hash).toBe("hash-k1");
  });

  it("fails where the secret is binary, of another shape, or scheduled for deletion", async () => {
    const { model, store } = met();
    expect(await lines(store, { secret: ref.secret })).toContain(
      "✗ secretsmanager:GetSecretValue: secret prod/payments is a JSON object, and no field is named",
    );
    model.perform("DeleteSecret", { SecretId: ref.secret });
    expect(await lines(store)).toContain(
      "✗ secretsmanager:DescribeSecret: secret prod/payments is scheduled for deletion",
    );
  });
});
