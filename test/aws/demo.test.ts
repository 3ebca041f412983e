import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { beforeEach, describe, expect, it } from "vitest";
import { virtualClock } from "../providers/virtual-clock.ts";
import { SecretsManagerModel } from "./model.ts";
import { exhibitSecret } from "./secret-exhibit.ts";
import { inProcessClient } from "./serve.ts";

/** What would lead the demo to somebody's account if it looked. */
const ASTRAY = {
  AWS_PROFILE: "production",
  AWS_ENDPOINT_URL: "http://127.0.0.1:9",
  AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true",
  AWS_REGION: "us-east-1",
  OPENROUTER_BASE_URL: "http://127.0.0.1:9/api/v1",
  HTTPS_PROXY: "http://127.0.0.1:9",
  HTTP_PROXY: "http://127.0.0.1:9",
};

async function demo() {
  const child = spawn(process.execPath, [join(import.meta.dirname, "demo.ts")], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...ASTRAY },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const status = new Promise((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}

it("rotates a key in AWS Secrets Manager under live traffic, and proves that nothing failed", {
  timeout: 60_000,
}, async () => {
  const { status, stdout, stderr } = await demo();

  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.stringMatching(/confirmed/) });
  expect(stdout).toMatch(/^payments-api was rotated under live traffic and no request failed\.$/m);
  expect(stdout).toMatch(/\d{2,} sent during the rotation \(payments \d+, billing \d+\), 0 failed$/m);
  expect(stdout).toMatch(/^ {2}deleted {3}[0-9a-f]{64}, and refused by the provider \(HTTP 401\)$/m);
  expect(stdout).toMatch(
    /^ {2}secret {4}prod\/payments\/openrouter, kept by keyturn:installation=default keyturn:journal=[0-9a-f]+$/m,
  );
  expect(stdout).toMatch(/^ {2}fields {4}STATEMENT_DESCRIPTOR as before, beside the key$/m);
  expect(stdout).toMatch(/^ {2}versions {2}\S+: AWSCURRENT, KEYTURN-holds:\S+\n +\S+: AWSPREVIOUS$/m);
});

describe("the secret after a rotation", () => {
  const Name = "prod/payments";
  const OWNER = ["keyturn:installation", "keyturn:journal"];
  let aws: SecretsManager;
  let old = "";
  let current = "";
  const move = (VersionStage: string, MoveToVersionId: string) =>
    aws.updateSecretVersionStage({ SecretId: Name, VersionStage, MoveToVersionId });
  const shown = () => exhibitSecret(aws, Name, { OTHER: "1" });

  async function rotated(tags: string[]): Promise<void> {
    aws = inProcessClient(new SecretsManagerModel({ clock: virtualClock() }));
    const put = (SecretString: string) => aws.putSecretValue({ SecretId: Name, SecretString });
    await aws.createSecret({ Name, Tags: tags.map((Key) => ({ Key, Value: "mine" })) });
    old = (await put('{"KEY":"k1"}')).VersionId ?? "";
    current = (await put('{"KEY":"k2","OTHER":"1"}')).VersionId ?? "";
    await move("KEYTURN-holds:f:b:r:h", current);
  }
  beforeEach(() => rotated(OWNER));

  it("is as it should be with one current version, the owner's tags and the other fields", async () => {
    expect(await shown()).toMatchObject({
      holds: true,
      json: {
        secret: {
          versions: [
            { id: current, stages: ["AWSCURRENT", "KEYTURN-holds:f:b:r:h"] },
            { id: old, stages: ["AWSPREVIOUS"] },
          ],
          kept: ["OTHER"],
        },
      },
    });
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a label of ours left on an old version", () => move("KEYTURN-previous-1", old)],
    ["a rotation's own label left on what is current", () => move("KEYTURN-r-h", current)],
    ["half of the owner's stamp", () => rotated(OWNER.slice(0, 1))],
    ["another field lost", () => aws.putSecretValue({ SecretId: Name, SecretString: '{"KEY":"k3"}' })],
  ])("is not with %s", async (_, spoil) => {
    await spoil();
    expect((await shown()).holds).toBe(false);
  });
});
