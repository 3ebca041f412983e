import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Secret } from "../../src/lib/secret.ts";
import { serve } from "../../src/sandbox/serve.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import { CREDENTIALS, secretsManagerApi } from "../aws/handler.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { clientOf, serveSecretsManager } from "../aws/serve.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { AWS_CONFIG } from "./aws-bench.ts";
import { awsWorld, OWNER, refusal } from "./aws-world.ts";

const REF = { secret: "prod/payments" };
const FIELD = { secret: "prod/payments", field: "LLM_KEY" };

describe("a secret that cannot be used is told apart from one that is absent", () => {
  it("when it is not there", async () => {
    const { store } = awsWorld();
    expect((await store.observe(REF)).current).toBeUndefined();
    expect(await refusal(store.claim(REF, OWNER, { create: false }))).toBe(
      "absent: secret prod/payments is not there\ncheck its name; to have it made, set create: true on the key's store",
    );
  });

  it("when its ARN is of another region", async () => {
    const { store, model } = awsWorld();
    const secret = "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/payments-AbCdEf";
    expect(await refusal(store.observe({ secret }))).toBe(
      `unusable: secret ${secret} is in us-east-1, and the store in eu-west-1\nname a store with region: us-east-1, or the secret's ARN in eu-west-1`,
    );
    expect(model.calls).toEqual([]);
  });

  it("when its ARN is none of a secret, or would have to be created", async () => {
    const { store } = awsWorld();
    expect(await refusal(store.observe({ secret: "arn:aws:s3:::bucket" }))).toMatch(
      /^unusable: arn:aws:s3:::bucket is not the ARN of a secret\ngive the secret's name/,
    );
    const secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:new-AbCdEf";
    expect(await refusal(store.claim({ secret }, OWNER, { create: true }))).toBe(
      `absent: secret ${secret} is not there, and an ARN cannot be created\ngive the name that the new secret is to have`,
    );
  });

  it("when it is binary", async () => {
    const { store, edit } = awsWorld();
    edit(REF.secret, { SecretBinary: "aGVsbG8=" });
    const says =
      "unusable: secret prod/payments is binary\nput its value as text (SecretString), or name another secret";
    expect(await refusal(store.observe(REF))).toBe(says);
    expect(await refusal(store.claim(REF, OWNER, { create: true }))).toBe(says);
  });

  it("when it is a plain value and a field is named, and the reverse", async () => {
    const { store, edit } = awsWorld();
    edit(REF.secret, { SecretString: "sk-or-v1-canary" });
    expect(await refusal(store.observe(FIELD))).toBe(
      "unusable: secret prod/payments is a plain value, so it has no field LLM_KEY\nleave out the field, or name another secret",
    );
    edit(REF.secret, { SecretString: '{"LLM_KEY":"sk-or-v1-canary"}' });
    expect(await refusal(store.observe(REF))).toBe(
      "unusable: secret prod/payments is a JSON object, and no field is named\nname the field, or another secret",
    );
    edit(REF.secret, { SecretString: '{"LLM_KEY":"sk-or-v1-canary"' });
    expect(await refusal(store.observe(FIELD))).toBe(
      "unusable: secret prod/payments is not a JSON object\nmend it so that it is a JSON object again, or delete it",
    );
  });

  it("when the field is missing it is there, without a value", async () => {
    const { store, edit } = awsWorld();
    edit(REF.secret, { SecretString: '{"OTHER":"x"}' });
    const { current } = await store.observe(FIELD);
    expect(current).toEqual({ version: expect.any(String), value: undefined });
  });

  it("when it is scheduled for deletion, whatever is asked", async () => {
    const { store, model, edit } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    model.perform("DeleteSecret", { SecretId: REF.secret });
    const says =
      "unusable: secret prod/payments is scheduled for deletion\nrun `aws secretsmanager restore-secret --secret-id prod/payments`, or name another secret";
    expect(await refusal(store.observe(REF))).toBe(says);
    expect(await refusal(store.claim(REF, OWNER, { create: true }))).toBe(says);
    expect(await refusal(store.read(REF, "6e9c1f0e-0000-5000-8000-000000000000"))).toBe(says);
    model.perform("RestoreSecret", { SecretId: REF.secret });
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("k1");
  });

  it("when it is a replica", async () => {
    const { store, model, edit } = awsWorld();
    edit(REF.secret, { SecretString: "k1" });
    model.alter(REF.secret, { primaryRegion: "us-east-1" });
    expect(await refusal(store.observe(REF))).toMatch(
      /^unusable: secret prod\/payments in eu-west-1 is a replica of the one in us-east-1\nname a store with region: us-east-1/,
    );
  });
});

describe("what AWS does not allow", () => {
  it("is named, action by action", async () => {
    const { store, model, put, stage } = awsWorld();
    await put(REF, "k1");
    const { version, base } = await stage(REF, "k2");
    const attempts: Record<string, () => Promise<unknown>> = {
      DescribeSecret: () => store.observe(REF),
      GetSecretValue: () => store.observe(REF),
      PutSecretValue: () => stage(REF, "k3", "r3"),
      UpdateSecretVersionStage: () => store.promote(REF, version, base),
      TagResource: () =>
        store.claim(REF, { installation: "b", journal: "j" }, { create: false, takeOver: true }),
      CreateSecret: () => store.claim({ secret: "new" }, OWNER, { create: true }),
    };
    for (const [action, attempt] of Object.entries(attempts)) {
      model.knobs.denied = new Set([`secretsmanager:${action}`]);
      const said = await refusal(attempt());
      expect(said).toMatch(
        new RegExp(`^forbidden: AWS ${action} of secret .* is not allowed: User: arn:aws:iam`),
      );
      expect(said).toContain(`\nallow secretsmanager:${action} to this identity on this secret`);
    }
    expect(model.current(REF.secret)).toBe("k1");
  });

  it("of KMS is told apart from what it does not allow of Secrets Manager", async () => {
    const { store, model, put, stage } = awsWorld();
    await put(REF, "k1");
    for (const denied of ["kms:Decrypt", "kms:Decrypt (key disabled)"]) {
      model.knobs.denied = new Set([denied]);
      expect(await refusal(store.observe(REF))).toMatch(
        /^forbidden: AWS GetSecretValue of secret prod\/payments may not use the secret's KMS key: .*\nallow kms:Decrypt in the key's policy/,
      );
    }
    for (const denied of ["kms:GenerateDataKey", "kms:GenerateDataKey (key disabled)"]) {
      model.knobs.denied = new Set([denied]);
      expect(await refusal(stage(REF, "k2"))).toMatch(
        /^forbidden: AWS PutSecretValue .*\nallow kms:GenerateDataKey and kms:Decrypt in the key's policy/,
      );
    }
  });
});

describe("what AWS has no room or no time for", () => {
  it("throttling passes where it is short, and is said where it goes on", async () => {
    const { store, model, put } = awsWorld();
    await put(REF, "k1");
    model.knobs.throttle = 3;
    expect((await store.observe(REF)).current?.value?.reveal()).toBe("k1");
    model.knobs.throttle = 100;
    expect(await refusal(store.observe(REF))).toBe(
      "throttled: AWS DescribeSecret of secret prod/payments was throttled (ThrottlingException)",
    );
  });

  it("a value that is too long is refused before it is sent", async () => {
    const { store, edit, callsOf } = awsWorld();
    edit(REF.secret, { SecretString: JSON.stringify({ OTHER: "x".repeat(65_500) }) });
    const { base } = await store.observe(FIELD);
    const request = { rotation: "r1", hash: "h1", value: new Secret("k".repeat(60)), base };
    const calls = await callsOf(async () => {
      expect(await refusal(store.stage(FIELD, request))).toBe(
        "full: secret prod/payments would be 65585 bytes long, and AWS takes 65536\nmove some of its fields to another secret",
      );
    });
    expect(calls).not.toContain("PutSecretValue");
  });

  it("versions and labels run out, and the way out is said", async () => {
    const { put, stage, edit, model } = awsWorld();
    await put(REF, "k1");
    const full =
      /^full: AWS PutSecretValue .* went past a quota: .*\na secret has about 100 versions and 20 staging labels/;
    for (let n = 1; n <= 18; n += 1) edit(REF.secret, { SecretString: "x" }, [`LABEL-${n}`]);
    expect(await refusal(stage(REF, "k2"))).toMatch(full);
    for (let n = 2; n <= 18; n += 1)
      model.perform("UpdateSecretVersionStage", {
        SecretId: REF.secret,
        VersionStage: `LABEL-${n}`,
        RemoveFromVersionId: model.secret(REF.secret)?.labels[`LABEL-${n}`],
      });
    for (let n = 0; n < 81; n += 1) edit(REF.secret, { SecretString: "x" }, ["LABEL-1"]);
    expect(await refusal(stage(REF, "k2"))).toMatch(full);
  });
});

describe("credentials and connections", () => {
  const model = () => new SecretsManagerModel({ clock: systemClock });
  const parts = () => ({ clock: virtualClock(), random: systemRandom, env: {} });
  const storeAt = (endpoint: string, more: Parameters<typeof clientOf>[1] = {}) =>
    awsStore("aws", AWS_CONFIG, { ...parts(), client: clientOf(endpoint, more) });
  const served = async (...[at]: Parameters<typeof secretsManagerApi>) => {
    const { url, close } = await serveSecretsManager(at);
    onTestFinished(close);
    return url;
  };
  /** No credentials and no region but those given, wherever the test runs. */
  const bareEnvironment = () => {
    for (const name of [
      "AWS_ACCESS_KEY_ID",
      "AWS_SECRET_ACCESS_KEY",
      "AWS_PROFILE",
      "AWS_REGION",
      "AWS_DEFAULT_REGION",
    ])
      vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    onTestFinished(() => void vi.unstubAllEnvs());
  };

  it("are missed by name when there are none", async () => {
    bareEnvironment();
    const store = awsStore("aws", { ...AWS_CONFIG, region: "eu-west-1" }, parts());
    expect(await refusal(store.observe(REF))).toMatch(
      /^unauthorized: AWS DescribeSecret of secret prod\/payments found no accepted credentials: .*\ngive credentials by environment variables, a profile, or the role/,
    );
  });

  it("need a region", async () => {
    bareEnvironment();
    const store = awsStore("aws", AWS_CONFIG, parts());
    expect(await refusal(store.observe(REF))).toBe(
      "unusable: AWS DescribeSecret of secret prod/payments was not sent: no region is given\nset region on the store, or AWS_REGION",
    );
  });

  it("are said to be unknown, expired, or of another region", async () => {
    const url = await served(model());
    const unknown = storeAt(url, { credentials: { ...CREDENTIALS, accessKeyId: "AKIAUNKNOWN" } });
    expect(await refusal(unknown.observe(REF))).toMatch(
      /^unauthorized: .*invalid\.\nthe access key does not exist/,
    );

    const users = { [CREDENTIALS.accessKeyId]: { ...CREDENTIALS, expired: true } };
    const stale = await serve(secretsManagerApi(model(), users));
    onTestFinished(stale.close);
    expect(await refusal(storeAt(stale.url).observe(REF))).toMatch(
      /^unauthorized: .*expired\nthe session has expired: renew it/,
    );

    const elsewhere = storeAt(url, { region: "us-east-1" });
    expect(await refusal(elsewhere.observe(REF))).toMatch(
      /^unauthorized: .*valid region, not 'us-east-1'\. \ncheck the secret access key, that the region is the endpoint's own/,
    );
  });

  it("that cannot be made are unreachable, and that break off unclear", async () => {
    const { url, close } = await serve(async () => Response.error());
    expect(await refusal(storeAt(url).observe(REF))).toMatch(
      /^unclear: .* got no whole answer \(ECONNRESET\)/,
    );
    await close();
    expect(await refusal(storeAt(url).observe(REF))).toBe(
      "unreachable: AWS DescribeSecret of secret prod/payments made no connection: ECONNREFUSED\ncheck region, endpoint, and HTTPS_PROXY where a proxy is needed",
    );
  });

  it("that lead to something else are malformed, or unclear where it broke", async () => {
    const page = async (status: number) => {
      const { url, close } = await serve(async () => new Response("<html>no</html>", { status }));
      onTestFinished(close);
      return refusal(storeAt(url).observe(REF));
    };
    expect(await page(403)).toMatch(
      /^malformed: .* not Secrets Manager's \(403\)\ncheck endpoint and HTTPS_PROXY/,
    );
    expect(await page(200)).toMatch(/^malformed: /);
    expect(await page(503)).toMatch(/^unclear: .* was answered by 503/);
  });
});
