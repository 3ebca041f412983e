import nock from "nock";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import { CREDENTIALS } from "../aws/handler.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { virtualClock } from "../providers/virtual-clock.ts";

beforeEach(() => {
  nock.disableNetConnect();
  vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
});
afterEach(() => {
  nock.cleanAll();
  nock.enableNetConnect();
  vi.unstubAllEnvs();
});

it("one rotation of one field puts these calls on the wire", async () => {
  const clock = virtualClock();
  const model = new SecretsManagerModel({ clock });
  const EDIT = "11111111-2222-4333-8444-555555555555";
  model.perform("CreateSecret", {
    Name: "prod/payments",
    ClientRequestToken: EDIT,
    SecretString: '{"LLM_KEY":"k1","DB":"p"}',
  });
  const wire: string[] = [];
  nock("https://secretsmanager.eu-west-1.amazonaws.com")
    .post("/")
    .times(50)
    .reply(async (request: Request) => {
      const input = (await request.json()) as Record<string, unknown>;
      const target = request.headers.get("x-amz-target") ?? "";
      wire.push(`${request.method} ${target}`, `  ${JSON.stringify(input)}`);
      const answer = model.perform(target.replace("secretsmanager.", ""), input);
      return [200, JSON.stringify(answer), { "content-type": "application/x-amz-json-1.1" }];
    });

  const config = { type: "aws-secrets-manager" as const, region: "eu-west-1" };
  const store = awsStore("aws", config, { clock, random: systemRandom });
  const ref = { secret: "prod/payments", field: "LLM_KEY" };
  const step = async <T>(name: string, work: Promise<T>): Promise<T> => {
    wire.push("", `${name}:`);
    return work;
  };
  const { base } = await step("observe", store.observe(ref));
  await step("claim", store.claim(ref, { installation: "prod", journal: "j1" }, { create: false }));
  const request = { rotation: "3f2a9c", hash: "b5d4", value: new Secret("k2"), base };
  const { version } = await step("stage", store.stage(ref, request));
  await step("read back", store.read(ref, version));
  await step("observe", store.observe(ref));
  await step("promote", store.promote(ref, version, base));
  await step("observe", store.observe(ref));
  await step("drop the old version", store.drop(ref, base));

  expect(`${wire.join("\n")}\n`).toMatchInlineSnapshot(`
    "
    observe:
    POST secretsmanager.GetSecretValue
      {"SecretId":"prod/payments"}
    POST secretsmanager.DescribeSecret
      {"SecretId":"prod/payments"}

    claim:
    POST secretsmanager.DescribeSecret
      {"SecretId":"prod/payments"}
    POST secretsmanager.TagResource
      {"SecretId":"prod/payments","Tags":[{"Key":"keyturn:installation","Value":"prod"},{"Key":"keyturn:journal","Value":"j1"}]}

    stage:
    POST secretsmanager.DescribeSecret
      {"SecretId":"prod/payments"}
    POST secretsmanager.PutSecretValue
      {"SecretId":"prod/payments","ClientRequestToken":"11c27648-a629-5337-976d-39157c9239a6","SecretString":"{\\"LLM_KEY\\":\\"k2\\",\\"DB\\":\\"p\\"}","VersionStages":["KEYTURN-3f2a9c-b5d4","KEYTURN-holds:328bb89fb668:11111111-2222-4333-8444-555555555555:3f2a9c:b5d4"]}

    read back:
    POST secretsmanager.GetSecretValue
      {"SecretId":"prod/payments","VersionId":"11c27648-a629-5337-976d-39157c9239a6"}

    observe:
    POST secretsmanager.DescribeSecret
      {"SecretId":"prod/payments"}

    promote:
    POST secretsmanager.UpdateSecretVersionStage
      {"SecretId":"prod/payments","VersionStage":"KEYTURN-previous-11111111-2222-4333-8444-555555555555","MoveToVersionId":"11111111-2222-4333-8444-555555555555"}
    POST secretsmanager.UpdateSecretVersionStage
      {"SecretId":"prod/payments","VersionStage":"AWSCURRENT","RemoveFromVersionId":"11111111-2222-4333-8444-555555555555","MoveToVersionId":"11c27648-a629-5337-976d-39157c9239a6"}

    observe:
    POST secretsmanager.UpdateSecretVersionStage
      {"SecretId":"prod/payments","VersionStage":"KEYTURN-3f2a9c-b5d4","RemoveFromVersionId":"11c27648-a629-5337-976d-39157c9239a6"}
    POST secretsmanager.DescribeSecret
      {"SecretId":"prod/payments"}

    drop the old version:
    POST secretsmanager.UpdateSecretVersionStage
      {"SecretId":"prod/payments","VersionStage":"KEYTURN-previous-11111111-2222-4333-8444-555555555555","RemoveFromVersionId":"11111111-2222-4333-8444-555555555555"}
    "
  `);
});
