import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { CREDENTIALS } from "../aws/handler.ts";
import type { FleetAnswer } from "./fleet-models.ts";
import { CLI, timeProcess } from "./measure.ts";
import type { Own } from "./own-figures.ts";
import { policyHead } from "./policy-head.ts";

export interface FleetOptions {
  keys: number;
  store: "file" | "aws";
  rateLimit: { requestsPerSecond: number; concurrency: number };
}

/** One command over the fleet, whole process: from outside, from inside, and as the world saw it. */
export interface FleetRun extends Own {
  wallMs: number;
  calls: FleetAnswer["calls"];
  /** The most calls of the provider that were under way at one time. */
  atOnce: number;
}

export interface FleetWorld {
  /** Rotates every key, whose calls of provider and AWS are answered `latencyMs` late. Throws, with what it said, when any fails. */
  rotate(latencyMs: number): Promise<FleetRun>;
  /** Wall time of a bare process that makes so many calls of the provider, as many at a time as the policy allows, in milliseconds. */
  bareCalls(calls: number, latencyMs: number): Promise<number>;
  [Symbol.asyncDispose](): Promise<void>;
}

const MODELS = join(import.meta.dirname, "fleet-models.ts");
const BARE_CALLS = join(import.meta.dirname, "bare-calls.ts");
const OWN_FIGURES = join(import.meta.dirname, "own-figures.ts");

/** A fleet in one policy, each key with a consumer of its own; every key has been issued once. */
export async function fleetWorld(options: FleetOptions): Promise<FleetWorld> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const models = fork(MODELS, [folder, options.store, String(options.keys)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  starting.defer(async () => void models.kill());
  const place = await answer(models);
  const policy = join(folder, "rotation.yaml");
  await writeFile(policy, policyText(options));
  const figures = join(folder, "figures.json");
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: folder,
    OWN_FIGURES: figures,
    OPENROUTER_MANAGEMENT_KEY: place.managementKey,
    OPENROUTER_BASE_URL: place.providerUrl,
    CONSUMERS_URL: place.consumersUrl,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: place.awsUrl,
    AWS_REGION: place.awsRegion,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
  };

  const rotate = async (latencyMs: number): Promise<FleetRun> => {
    await ask(models, latencyMs);
    const argv = ["--import", OWN_FIGURES, CLI, "now", "--yes", "--until", "deleted", "--deadline", "2h"];
    const wallMs = await timeProcess([...argv, "--policy", policy, "--log-level", "warn"], env);
    const { calls, atOnce } = await ask(models, 0);
    return { wallMs, calls, atOnce, ...(JSON.parse(await readFile(figures, "utf8")) as Own) };
  };
  const bareCalls = async (calls: number, latencyMs: number): Promise<number> => {
    await ask(models, latencyMs);
    return await timeProcess([BARE_CALLS, String(calls), String(options.rateLimit.concurrency)], env);
  };
  await rotate(0);
  const running = starting.move();
  return { rotate, bareCalls, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function ask(models: ChildProcess, latencyMs: number): Promise<FleetAnswer> {
  const answered = answer(models);
  models.send({ latencyMs });
  return await answered;
}

async function answer(models: ChildProcess): Promise<FleetAnswer> {
  const [message] = await once(models, "message");
  return message as FleetAnswer;
}

/** No pause in it that the work itself does not need. */
function policyText({ keys, store, rateLimit }: FleetOptions): string {
  const entries = Array.from(
    { length: keys },
    (_, index) => `  - name: key-${index}
    store: { use: secrets, secret: key-${index} }
    consumers: [{ name: consumer, probe: { http: "\${CONSUMERS_URL}/key-${index}" } }]
`,
  );
  const place = store === "aws" ? "type: aws-secrets-manager" : "type: file, path: secrets";
  return `${policyHead(rateLimit)}stores:
  secrets: { ${place} }
defaults:
  provider: openrouter
  schedule: none
  confirm: { successThreshold: 1 }
  retire: { watch: 0s }
keys:
${entries.join("")}`;
}
