/**
 * The world of a fleet, on loopback in a process of its own: a provider and AWS Secrets Manager,
 * whose answers come late by what the parent asks for, and consumers that apply every key at once.
 * Started by fleet-world.ts, which talks to it in {@link FleetAsk} and {@link FleetAnswer}.
 */
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { healthBody } from "../../src/consumer.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Handler } from "../../src/sandbox/fault-answers.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { serve } from "../../src/sandbox/serve.ts";
import { secretsManagerApi } from "../aws/handler.ts";
import { SecretsManagerModel } from "../aws/model.ts";

export interface FleetAsk {
  /** How late the provider and AWS answer from now on, in milliseconds. */
  latencyMs: number;
}

/** Where the world is, and what it was asked since it was last asked about. */
export interface FleetAnswer {
  managementKey: string;
  providerUrl: string;
  awsUrl: string;
  awsRegion: string;
  consumersUrl: string;
  calls: { provider: number; aws: number };
  /** The most calls of the provider that were under way at one time. */
  atOnce: number;
}

const [folder = "", store = "", ...names] = process.argv.slice(2);
const provider = new ProviderModel({ clock: systemClock, random: systemRandom });
const managementKey = provider.addManagementKey().reveal();
const aws = new SecretsManagerModel({ clock: systemClock });
if (store === "aws")
  for (let key = 0; key < Number(names[0]); key += 1)
    aws.perform("CreateSecret", { Name: `key-${key}`, ClientRequestToken: randomUUID() });

let latencyMs = 0;
const calls = { provider: 0, aws: 0 };
let underWay = 0;
let atOnce = 0;

function late(whose: keyof typeof calls, handler: Handler): Handler {
  return async (request) => {
    calls[whose] += 1;
    if (whose === "provider") atOnce = Math.max(atOnce, ++underWay);
    try {
      if (latencyMs > 0) await sleep(latencyMs);
      return await handler(request);
    } finally {
      if (whose === "provider") underWay -= 1;
    }
  };
}

/** What a consumer reads: the present value of the secret that bears the key's name. */
async function current(name: string): Promise<string | undefined> {
  if (store === "aws") return aws.current(name);
  return await readFile(join(folder, "secrets", name), "utf8").catch(() => undefined);
}

const providerServer = await serve(late("provider", openRouterApi(provider)));
const awsServer = await serve(late("aws", secretsManagerApi(aws)));
const consumers = await serve(async (request) => {
  const name = new URL(request.url).pathname.slice(1);
  const serving = await current(name);
  return Response.json(healthBody({ status: "ok", instance: `${name}-1`, keys: { [name]: { serving } } }));
});

function tell(): void {
  process.send?.({
    managementKey,
    providerUrl: `${providerServer.url}/api/v1`,
    awsUrl: awsServer.url,
    awsRegion: aws.region,
    consumersUrl: consumers.url,
    calls: { ...calls },
    atOnce,
  } satisfies FleetAnswer);
  Object.assign(calls, { provider: 0, aws: 0 });
  atOnce = 0;
  // What the models log grows with every call.
  provider.requests.length = 0;
  aws.calls.length = 0;
}

process.on("message", (ask: FleetAsk) => {
  latencyMs = ask.latencyMs;
  tell();
});
process.on("disconnect", () => process.exit());
tell();
