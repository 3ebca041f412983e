import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { expect, test } from "vitest";
import { awsError } from "../../src/stores/aws/errors.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { directClient } from "./direct-client.ts";
import { SecretsManagerModel } from "./model.ts";
import { inProcessClient } from "./serve.ts";

const [FIRST, SECOND, OTHER] = ["1", "2", "3"].map((digit) => `token-${digit.repeat(32)}`);
const SecretId = "payments";

type Call = (client: SecretsManager, model: SecretsManagerModel) => Promise<unknown>;

/** Every action, with every answer and error that the store can meet. */
const CALLS: Record<string, Call> = {
  "describes what is not there": (aws) => aws.describeSecret({ SecretId }),
  "puts into what is not there": (aws) =>
    aws.putSecretValue({ SecretId, ClientRequestToken: FIRST, SecretString: "k0" }),
  "creates with a bad name": (aws) => aws.createSecret({ Name: "a b", ClientRequestToken: FIRST }),
  creates: (aws) =>
    aws.createSecret({
      Name: SecretId,
      ClientRequestToken: FIRST,
      Tags: [{ Key: "team", Value: "a" }],
      KmsKeyId: "alias/k",
    }),
  "creates again": (aws) => aws.createSecret({ Name: SecretId, ClientRequestToken: FIRST }),
  "reads a secret without a value": (aws) => aws.getSecretValue({ SecretId }),
  puts: (aws) =>
    aws.putSecretValue({ SecretId, ClientRequestToken: FIRST, SecretString: "k1", VersionStages: ["A"] }),
  "puts other content with the same token": (aws) =>
    aws.putSecretValue({ SecretId, ClientRequestToken: FIRST, SecretString: "kx", VersionStages: ["A"] }),
  "puts bytes": (aws) =>
    aws.putSecretValue({
      SecretId,
      ClientRequestToken: SECOND,
      SecretBinary: new Uint8Array([1, 2, 255]),
      VersionStages: ["B"],
    }),
  "reads bytes": (aws) => aws.getSecretValue({ SecretId, VersionId: SECOND }),
  "reads a version": (aws) => aws.getSecretValue({ SecretId, VersionId: FIRST }),
  "reads no such version": (aws) => aws.getSecretValue({ SecretId, VersionId: OTHER }),
  describes: (aws) => aws.describeSecret({ SecretId }),
  tags: (aws) => aws.tagResource({ SecretId, Tags: [{ Key: "owner", Value: "b" }] }),
  "moves current": (aws) =>
    aws.updateSecretVersionStage({
      SecretId,
      VersionStage: "AWSCURRENT",
      MoveToVersionId: SECOND,
      RemoveFromVersionId: FIRST,
    }),
  "moves current from where it is not": (aws) =>
    aws.updateSecretVersionStage({
      SecretId,
      VersionStage: "AWSCURRENT",
      MoveToVersionId: SECOND,
      RemoveFromVersionId: FIRST,
    }),
  "is throttled": (aws, model) => {
    model.knobs.throttle = 1;
    return aws.describeSecret({ SecretId });
  },
  "is denied": (aws, model) => {
    model.knobs.denied.add("secretsmanager:TagResource");
    return aws.tagResource({ SecretId, Tags: [] });
  },
  "is denied the KMS key": (aws, model) => {
    model.knobs.denied.add("kms:Decrypt");
    return aws.getSecretValue({ SecretId });
  },
  "loses a reply": (aws, model) => {
    model.knobs.lostReplies.push("PutSecretValue");
    return aws.putSecretValue({
      SecretId,
      ClientRequestToken: OTHER,
      SecretString: "k3",
      VersionStages: ["C"],
    });
  },
  deletes: (aws) => aws.deleteSecret({ SecretId, RecoveryWindowInDays: 7 }),
  "describes what is scheduled for deletion": (aws) => aws.describeSecret({ SecretId }),
  "tags what is scheduled for deletion": (aws) => aws.tagResource({ SecretId, Tags: [] }),
  restores: (aws) => aws.restoreSecret({ SecretId }),
  "describes at the end": (aws) => aws.describeSecret({ SecretId }),
};

/** What a caller sees of every call of the sequence. */
async function seenBy(make: (model: SecretsManagerModel) => SecretsManager) {
  const clock = virtualClock();
  const model = new SecretsManagerModel({ clock });
  const client = make(model);
  const seen: [string, unknown][] = [];
  for (const [what, call] of Object.entries(CALLS)) {
    await clock.sleep(1_234);
    seen.push([what, await call(client, model).then(plain, thrownAs)]);
  }
  return { seen, calls: model.calls, region: await client.config.region() };
}

function plain(answer: unknown): object {
  const { $metadata, ...rest } = answer as { $metadata: { httpStatusCode?: number } };
  const fields = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { status: $metadata.httpStatusCode, ...Object.fromEntries(fields) };
}

function thrownAs(error: unknown): object {
  const { name, message, code, $metadata } = error as Error & { code?: string; $metadata?: object };
  const { httpStatusCode } = ($metadata ?? {}) as { httpStatusCode?: number };
  const { code: meaning, hint } = awsError(error, "Action", SecretId);
  return { name, message, code, httpStatusCode, meaning, hint };
}

test("the direct client answers and throws as the SDK's client does, call by call", async () => {
  const direct = await seenBy(directClient);
  const real = await seenBy(inProcessClient);
  expect(direct.seen).toEqual(real.seen);
  expect(direct.calls).toEqual(real.calls);
  expect(direct.region).toBe(real.region);
  const names = direct.seen.flatMap(([, answer]) => ("name" in (answer as object) ? [answer] : []));
  expect(names.length).toBeGreaterThan(8);
});
