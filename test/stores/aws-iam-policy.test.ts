import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { awsWorld, OWNER, refusal } from "./aws-world.ts";

interface Statement {
  Sid: string;
  Action: string[];
  Resource: string;
}

const { Statement: statements } = JSON.parse(
  readFileSync(new URL("../../config/aws-iam-policy.json", import.meta.url), "utf8"),
) as { Statement: Statement[] };

const actionsOf = (...sids: string[]) =>
  statements.filter(({ Sid }) => sids.includes(Sid)).flatMap(({ Action }) => Action);
const KEEP = actionsOf("KeepTheSecretFresh", "OnlyForAKmsKeyOfYourOwn");
const MAKE = [...KEEP, ...actionsOf("OnlyWithCreateTrue")];

/** As IAM does, whatever is not allowed is denied. */
function allBut(allowed: readonly string[]): Set<string> {
  const denied = new Set<string>();
  // A key that is disabled is no matter of rights.
  denied.has = (action) => !allowed.includes(action) && !action.endsWith("(key disabled)");
  return denied;
}

const ref = { secret: "prod/payments", field: "LLM_KEY" };

/** Two rotations by every call of the store that they make; the value that is current then. */
async function rotation(allowed: readonly string[], { create }: { create: boolean }) {
  const { model, store, stage, edit } = awsWorld();
  if (!create) edit(ref.secret, { SecretString: '{"LLM_KEY":"k1","DB":"p"}' });
  model.knobs.denied = allBut(allowed);

  await store.claim(ref, OWNER, { create });
  const first = await stage(ref, "k2", "r1");
  await store.promote(ref, first.version, first.base);
  const next = await stage(ref, "k3", "r2");
  expect((await store.read(ref, next.version))?.reveal()).toBe("k3");
  await store.promote(ref, next.version, next.base);
  await store.drop(ref, next.base);
  return (await store.observe(ref)).current?.value?.reveal();
}

describe("the shipped IAM policy", () => {
  it("names one secret, and one KMS key by way of Secrets Manager alone", () => {
    expect(statements.map(({ Sid, Resource }) => `${Sid} ${Resource}`)).toEqual([
      "KeepTheSecretFresh arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-??????",
      "OnlyWithCreateTrue arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-??????",
      "OnlyForAKmsKeyOfYourOwn arn:aws:kms:REGION:ACCOUNT:key/KEY",
    ]);
  });

  it("allows a whole rotation of a secret that is there", async () => {
    expect(await rotation(KEEP, { create: false })).toBe("k3");
  });

  it("allows a secret to be made and then rotated", async () => {
    expect(await rotation(MAKE, { create: true })).toBe("k3");
  });

  it.each(KEEP)("allows no rotation without %s", async (action) => {
    const rest = KEEP.filter((other) => other !== action);
    expect(await refusal(rotation(rest, { create: false }))).toMatch(
      new RegExp(`^forbidden: [^]*allow [^]*${action}`),
    );
  });

  it("makes no secret without CreateSecret", async () => {
    expect(await refusal(rotation(KEEP, { create: true }))).toContain("allow secretsmanager:CreateSecret");
  });
});
