import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Clock, systemClock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { Faults } from "./faults.ts";
import type { Knobs } from "./model-types.ts";
import { openRouterApi } from "./openrouter-api.ts";
import { ProviderModel } from "./provider-model.ts";
import { type SampleConsumerStats, startSampleConsumer } from "./sample-consumer.ts";
import { serve } from "./serve.ts";

/** What the shipped rotation.yaml calls the key, its secret's field and the services that use it. */
export const SANDBOX_KEY = "payments-api";
const FIELD = "OPENROUTER_API_KEY";
const CONSUMERS = ["payments", "billing"] as const;
type ConsumerName = (typeof CONSUMERS)[number];

/** How long after reading a new key each consumer starts to use it, in milliseconds. */
const APPLY_DELAYS: Readonly<Record<ConsumerName, number>> = { payments: 400, billing: 1_200 };

export interface SandboxOptions {
  /** For store and journal; made when missing, and kept. Left out: a temporary one, removed at the end. */
  folder?: string;
  /** The provider's, on loopback; 0, the default, takes a free one. */
  port?: number;
  knobs?: Partial<Knobs>;
  /** Specs as FAULT_HELP says. */
  faults?: readonly string[];
  /** Of each consumer; default 20. */
  requestsPerSecond?: number;
  applyDelays?: Partial<Record<ConsumerName, number>>;
  clock?: Clock;
  random?: Random;
}

export interface ConsumerStats extends SampleConsumerStats {
  name: string;
}

export interface Sandbox {
  model: ProviderModel;
  /** The provider's API, `…/api/v1`. */
  providerUrl: string;
  folder: string;
  /** Where the consumers read their key, and its field there. */
  secret: { file: string; field: string };
  /** The variables that the shipped rotation.yaml reads. */
  env: Record<string, string>;
  /** Requests of each consumer since the start; whole once the traffic has stopped. */
  stats(): ConsumerStats[];
  /** Stops the consumers and waits for their requests under way; the provider stays. */
  stopTraffic(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts a provider and two consumers on loopback, in this process: the provider with one
 * management key and no other, the consumers waiting for their first key. Throws RotationError
 * `usage` for a fault that is none or a folder in use, and what `serve` throws.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { clock = systemClock, random = systemRandom, port = 0 } = options;
  const faults = new Faults(options.faults);
  const model = new ProviderModel({ clock, random, ...options.knobs });

  await using starting = new AsyncDisposableStack();
  const folder = options.folder === undefined ? temporary(starting) : await kept(resolve(options.folder));
  const store = join(folder, "secrets");
  await mkdir(store, { mode: 0o700 });
  const secret = { file: join(store, `${SANDBOX_KEY}.json`), field: FIELD };
  const served = await serve(openRouterApi(model, faults), { port });
  starting.defer(served.close);
  const providerUrl = `${served.url}/api/v1`;

  const consumers: {
    name: ConsumerName;
    url: string;
    stats(): SampleConsumerStats;
    close(): Promise<void>;
  }[] = [];
  for (const name of CONSUMERS) {
    const consumer = await startSampleConsumer({
      name,
      instance: `${name}-1`,
      keyName: SANDBOX_KEY,
      file: secret.file,
      field: secret.field,
      providerUrl,
      applyDelayMs: options.applyDelays?.[name] ?? APPLY_DELAYS[name],
      requestsPerSecond: options.requestsPerSecond ?? 20,
      clock,
    });
    starting.defer(consumer.close);
    consumers.push({ name, ...consumer });
  }
  const running = starting.move();
  const url = (name: ConsumerName) => consumers.find((consumer) => consumer.name === name)?.url ?? "";

  return {
    model,
    providerUrl,
    folder,
    secret,
    env: {
      OPENROUTER_BASE_URL: providerUrl,
      OPENROUTER_MANAGEMENT_KEY: model.addManagementKey().reveal(),
      KEYTURN_STORE: store,
      KEYTURN_JOURNAL: join(folder, "journal.db"),
      PAYMENTS_URL: url("payments"),
      BILLING_URL: url("billing"),
    },
    stats: () => consumers.map(({ name, stats }) => ({ name, ...stats() })),
    async stopTraffic() {
      await Promise.all(consumers.map(({ close }) => close()));
    },
    close: () => running.disposeAsync(),
  };
}

/** Removed with the rest, and also when the process ends before that. */
function temporary(stack: AsyncDisposableStack): string {
  const folder = mkdtempSync(join(tmpdir(), "keyturn-sandbox-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", remove);
  stack.defer(() => {
    process.off("exit", remove);
    remove();
  });
  return folder;
}

/** A provider that begins anew doesn't know the keys that an earlier one issued, so the folder must be empty. */
async function kept(folder: string): Promise<string> {
  const cannot = (why: string, hint: string, cause?: unknown) =>
    new RotationError("usage", `the sandbox cannot be kept in ${folder} (${why})`, { hint, cause });
  try {
    await mkdir(folder, { mode: 0o700 }).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== "EEXIST") throw thrown;
    });
    if ((await readdir(folder)).length === 0) return folder;
  } catch (thrown) {
    const { code = "unknown" } = thrown as NodeJS.ErrnoException;
    throw cannot(code, "name a folder that this user may write, or make, in one that is there", thrown);
  }
  throw cannot("not empty", "name another: every sandbox starts without keys");
}

/** NO_PROXY with the loopback address added to what `env` has: the sandbox is never behind a proxy. */
export function aroundProxy(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = [env.no_proxy || env.NO_PROXY, "127.0.0.1", "localhost"].filter(Boolean).join(",");
  return { NO_PROXY: names, no_proxy: names };
}
