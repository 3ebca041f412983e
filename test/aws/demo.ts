import { devNull } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { demonstrate } from "../../src/commands/demonstrate.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { SANDBOX_KEY, startSandbox } from "../../src/sandbox/sandbox.ts";
import { CREDENTIALS } from "./handler.ts";
import { SecretsManagerModel } from "./model.ts";
import { exhibitSecret } from "./secret-exhibit.ts";
import { serveSecretsManager } from "./serve.ts";
import { keyIn, watchSecret } from "./watch-secret.ts";

const POLICY = join(import.meta.dirname, "../../config/examples/aws.yaml");
/** What a person writes into the secret beside the key. */
const BESIDE = { STATEMENT_DESCRIPTOR: "ACME PAYMENTS" };

/**
 * `npm run demo:aws`: the demo's rotation by config/examples/aws.yaml, into a model of AWS Secrets
 * Manager on loopback. Worker and services reach it as they would reach AWS: by the SDK alone, told
 * by the environment where to go.
 */
async function awsDemo(options: { json: boolean }): Promise<number> {
  await using open = new AsyncDisposableStack();
  const model = new SecretsManagerModel({ clock: systemClock });
  const served = await serveSecretsManager(model);
  open.defer(served.close);
  setAwsVariables(served.url, model.region);

  const where = await secretOf(POLICY);
  const client = new SecretsManager();
  open.defer(async () => client.destroy());
  await client.createSecret({ Name: where.secret });

  const sandbox = await startSandbox({ watch: (onChange) => watchSecret(where, onChange) });
  open.defer(sandbox.close);
  return await demonstrate(
    { color: true },
    {
      sandbox,
      policyFile: POLICY,
      env: { ...sandbox.env, AWS_REGION: model.region },
      owns: (store) =>
        store.type === "aws-secrets-manager" && store.region === model.region && store.endpoint === undefined,
      currentKey: async () => new Secret((await keyIn(client, where)) ?? ""),
      interlude: () => writeBeside(client, where.secret),
      exhibit: () => exhibitSecret(client, where.secret, BESIDE),
    },
    options,
  );
}

/** Whatever the person has set for AWS is of no effect, so that nothing can reach their account. */
function setAwsVariables(endpoint: string, region: string): void {
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) delete process.env[name];
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
  });
}

async function writeBeside(client: SecretsManager, SecretId: string): Promise<string> {
  const { SecretString = "{}" } = await client.getSecretValue({ SecretId });
  await client.putSecretValue({
    SecretId,
    SecretString: JSON.stringify({ ...JSON.parse(SecretString), ...BESIDE }),
  });
  return `Someone adds the field ${Object.keys(BESIDE).join()} to secret ${SecretId} by hand.`;
}

async function secretOf(file: string): Promise<{ secret: string; field: string }> {
  const { policy } = await loadPolicy(file, {});
  const { secret, field } = policy.keys.find(({ name }) => name === SANDBOX_KEY)?.store ?? {};
  if (secret === undefined || field === undefined)
    throw new Error(`${file} has no key ${SANDBOX_KEY} with a field of a secret`);
  return { secret, field };
}

const { values } = parseArgs({ options: { json: { type: "boolean", default: false } } });
process.exitCode = await awsDemo(values);
