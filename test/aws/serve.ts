import { Readable } from "node:stream";
import { SecretsManager, type SecretsManagerClientConfig } from "@aws-sdk/client-secrets-manager";
import type { Handler } from "../../src/sandbox/fault-answers.ts";
import { type Served, serve } from "../../src/sandbox/serve.ts";
import { CREDENTIALS, secretsManagerApi } from "./handler.ts";
import type { SecretsManagerModel } from "./model.ts";

/** Serves a model on loopback; any region's endpoint may be pointed at it. */
export function serveSecretsManager(
  model: SecretsManagerModel,
  options: { port?: number } = {},
): Promise<Served> {
  return serve(secretsManagerApi(model), options);
}

/** The real SDK's client on an endpoint. */
export function clientOf(endpoint: string, more: Partial<SecretsManagerClientConfig> = {}): SecretsManager {
  return new SecretsManager({
    endpoint,
    region: "eu-west-1",
    credentials: CREDENTIALS,
    maxAttempts: 1,
    ...more,
  });
}

/** The real SDK's client with no wire between, for simulations in virtual time. */
export function inProcessClient(model: SecretsManagerModel): SecretsManager {
  const handler = secretsManagerApi(model);
  const handle = async (request: WireRequest) => ({ response: await exchange(handler, request) });
  return clientOf("http://secretsmanager.invalid", { requestHandler: { handle } as never });
}

interface WireRequest {
  method: string;
  headers: Record<string, string>;
  body: string;
}

async function exchange(handler: Handler, { method, headers, body }: WireRequest) {
  const response = await handler(new Request("http://secretsmanager.invalid/", { method, headers, body }));
  if (response.type === "error")
    throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET", name: "TimeoutError" });
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: Readable.from([Buffer.from(await response.arrayBuffer())]),
  };
}
