import { access, constants } from "node:fs/promises";
import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { RotationError } from "../../lib/errors.ts";
import type { AwsStorePolicy } from "../../policy/schema.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Time to connect, and for a whole exchange, in milliseconds. */
const CONNECT_MS = 5_000;
const ANSWER_MS = 15_000;

/**
 * A client of AWS Secrets Manager; the SDK is loaded only here, so that a policy without AWS never
 * loads it. Region, profile and credentials come from the SDK's own default chain where the policy
 * does not say; HTTPS_PROXY and NO_PROXY are taken from `env`. It repeats nothing by itself. Throws
 * RotationError `forbidden` for a file of the SDK's that may not be read.
 */
export async function connect(
  config: Pick<AwsStorePolicy, "region" | "endpoint" | "profile">,
  env: Env,
): Promise<SecretsManager> {
  await refuseUnreadable(env);
  const [{ SecretsManager }, http, https] = await Promise.all([
    import("@aws-sdk/client-secrets-manager"),
    import("node:http"),
    import("node:https"),
  ]);
  const { region, endpoint, profile } = config;
  const agent = { keepAlive: true, proxyEnv: { ...env } };
  return new SecretsManager({
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(profile === undefined ? {} : { profile }),
    maxAttempts: 1,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: ANSWER_MS,
      throwOnRequestTimeout: true,
      httpAgent: new http.Agent(agent),
      httpsAgent: new https.Agent(agent),
    },
  });
}

const FILES = [
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
];

/** The SDK takes a file that it may not read for one that is not there. */
async function refuseUnreadable(env: Env): Promise<void> {
  for (const name of FILES) {
    const path = env[name];
    if (!path) continue;
    await access(path, constants.R_OK).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "ENOENT") return;
      throw new RotationError("forbidden", `${name} names ${path}, which cannot be read (${cause.code})`, {
        hint: "give this user the right to read it",
        cause,
      });
    });
  }
}
