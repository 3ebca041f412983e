import { expect, test } from "vitest";
import { faults, load, notes, policyText } from "./setup.ts";

const ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/payments-AbCdEf";

/** A policy with the store `aws` in eu-west-1, and a key for each store reference. */
function policyOf(stores: string, ...refs: string[]): string {
  const keys = refs.map(
    (ref, index) =>
      `  - { name: k${index}, provider: openrouter, schedule: none, store: ${ref}, consumers: [{ name: c, probe: { http: http://127.0.0.1:8080/ } }] }\n`,
  );
  return (
    policyText({ top: `  aws: { type: aws-secrets-manager, region: eu-west-1 }\n${stores}` }) + keys.join("")
  );
}

test("a store in AWS needs its type alone, and every setting of it is kept", async () => {
  const all =
    "{ type: aws-secrets-manager, region: us-gov-west-1, endpoint: https://vpce.example, profile: work, kmsKeyId: alias/keys, tags: { team: a b }, description: d }";
  const { policy } = await load(policyOf(`  bare: { type: aws-secrets-manager }\n  all: ${all}`));
  expect(policy.stores.bare).toEqual({ type: "aws-secrets-manager" });
  expect(policy.stores.all).toEqual({
    type: "aws-secrets-manager",
    region: "us-gov-west-1",
    endpoint: "https://vpce.example",
    profile: "work",
    kmsKeyId: "alias/keys",
    tags: { team: "a b" },
    description: "d",
  });
});

test("what is wrong with a store in AWS is said field by field", async () => {
  const wrong =
    '{ type: aws-secrets-manager, region: Ireland, endpoint: vpce, path: ./x, tags: { "keyturn:installation": mine, "aws:x": y }, accessKeyId: AKIA }';
  expect(await faults(policyOf(`  bad: ${wrong}`))).toMatchInlineSnapshot(`
    [
      "rotation.yaml:8:45  stores.bad.region: found "Ireland"; accepted: an AWS region like eu-west-1",
      "rotation.yaml:8:64  stores.bad.endpoint: found "vpce"; accepted: an http:// or https:// URL",
      "rotation.yaml:8:70  stores.bad.path: unknown field; accepted: type, region, endpoint, profile, kmsKeyId, tags, description",
      "rotation.yaml:8:89  stores.bad.tags["keyturn:installation"]: found this name; accepted: a tag name of at most 128 letters, digits, spaces and _.:/=+-@, without aws: or keyturn: in front",
      "rotation.yaml:8:119  stores.bad.tags["aws:x"]: found this name; accepted: a tag name of at most 128 letters, digits, spaces and _.:/=+-@, without aws: or keyturn: in front",
      "rotation.yaml:8:133  stores.bad.accessKeyId: unknown field; accepted: type, region, endpoint, profile, kmsKeyId, tags, description",
    ]
  `);
});

test("a secret's name is one that AWS takes, or an ARN of the store's region", async () => {
  const text = policyOf(
    "",
    "{ use: aws, secret: 'prod payments' }",
    `{ use: aws, secret: '${ARN.replace("eu-west-1", "us-east-1")}' }`,
    "{ use: aws, secret: 'arn:aws:s3:::bucket' }",
    `{ use: aws, secret: '${ARN}', create: true }`,
  );
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:14:82  keys[1].store.secret: found "prod payments"; accepted in AWS Secrets Manager: a name of at most 512 letters, digits and /_+=.@-, or an ARN",
      "rotation.yaml:15:82  keys[2].store.secret: this secret is in us-east-1, and the store in eu-west-1",
      "name a store with region: us-east-1",
      "rotation.yaml:16:82  keys[3].store.secret: found "arn:aws:s3:::bucket"; accepted: arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX",
      "rotation.yaml:17:82  keys[4].store.secret: found "arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/payments-AbCdEf": create is true, and an ARN cannot be created",
      "give the secret's name",
    ]
  `);
});

test("one secret in AWS is not kept under two names", async () => {
  const text = policyOf(
    "  same: { type: aws-secrets-manager, region: eu-west-1, description: d }\n  other: { type: aws-secrets-manager, region: eu-west-1, profile: other-account }",
    "{ use: aws, secret: prod/payments, field: A }",
    "{ use: aws, secret: prod/payments, field: B }",
    `{ use: aws, secret: '${ARN}', field: C }`,
    "{ use: same, secret: prod/other, field: A }",
    "{ use: aws, secret: prod/other, field: B }",
    "{ use: other, secret: prod/other }",
  );
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:18:82  keys[3].store.secret: this is the secret of keys[2] by another name; keys of one secret name it by the same store and the same id",
      "rotation.yaml:20:82  keys[5].store.secret: this is the secret of keys[4] by another name; keys of one secret name it by the same store and the same id",
    ]
  `);
});

test("an endpoint that would show keys to everyone on the way is warned about", async () => {
  const stores = [
    "  vpc: { type: aws-secrets-manager, endpoint: http://vpce.example }",
    "  mine: { type: aws-secrets-manager, endpoint: http://127.0.0.1:4566 }",
  ];
  expect((await notes(policyOf(stores.join("\n")))).filter((note) => note.includes("stores."))).toEqual([
    "8:47  stores.vpc.endpoint: keys travel to vpce.example without encryption; use https://",
  ]);
});
