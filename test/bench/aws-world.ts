import { randomUUID } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { healthBody } from "../../src/consumer.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Handler } from "../../src/sandbox/fault-answers.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { serve } from "../../src/sandbox/serve.ts";
import { CREDENTIALS, secretsManagerApi } from "../aws/handler.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { policyHead } from "./policy-head.ts";

const KEY = "payments-api";

/** The policy of one key with one consumer, and no pause that the work itself does not need. */
const POLICY = `${policyHead()}stores:
  aws: { type: aws-secrets-manager, region: eu-west-1 }
keys:
  - name: ${KEY}
    provider: openrouter
    schedule: none
    store: { use: aws, secret: "\${SECRET_ID}", field: OPENROUTER_API_KEY }
    consumers:
      - name: payments
        probe: { http: "\${CONSUMER_URL}" }
    confirm: { successThreshold: 1 }
    retire: { watch: 0s }
`;

export interface AwsWorld {
  provider: ProviderModel;
  aws: SecretsManagerModel;
  folder: string;
  policy: string;
  env: NodeJS.ProcessEnv;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A provider, AWS Secrets Manager and one consumer that applies a key at once, all on loopback in
 * this process; every answer of the first two comes `latencyMs` late.
 */
export async function awsWorld(secret: string, latencyMs: number): Promise<AwsWorld> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const provider = new ProviderModel({ clock: systemClock, random: systemRandom });
  const aws = new SecretsManagerModel({ clock: systemClock });
  aws.perform("CreateSecret", { Name: secret, SecretString: "{}", ClientRequestToken: randomUUID() });
  const late =
    (handler: Handler): Handler =>
    async (request) => {
      if (latencyMs > 0) await sleep(latencyMs);
      return await handler(request);
    };
  const providerServer = await serve(late(openRouterApi(provider)));
  starting.defer(providerServer.close);
  const awsServer = await serve(late(secretsManagerApi(aws)));
  starting.defer(awsServer.close);
  const consumer = await serve(async () => Response.json(answer(aws.current(secret))));
  starting.defer(consumer.close);
  const policy = join(folder, "rotation.yaml");
  await writeFile(policy, POLICY);
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: folder,
    OPENROUTER_MANAGEMENT_KEY: provider.addManagementKey().reveal(),
    OPENROUTER_BASE_URL: `${providerServer.url}/api/v1`,
    CONSUMER_URL: `${consumer.url}/healthz`,
    SECRET_ID: secret,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: awsServer.url,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
  };
  const running = starting.move();
  return { provider, aws, folder, policy, env, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function answer(current: string | undefined): object {
  const serving = current === undefined ? undefined : JSON.parse(current).OPENROUTER_API_KEY;
  return healthBody({ status: "ok", instance: "payments-1", keys: { [KEY]: { serving } } });
}
