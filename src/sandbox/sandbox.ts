import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { watchKey } from "../consumer.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { RotationError } from "../lib/errors.ts";
import { type Random, systemRandom } from "../lib/random.ts";
import { Faults } from "./faults.ts";
import type { Knobs } from "./model-types.ts";
import { PROVIDER_KINDS, type ProviderType } from "./provider-kinds.ts";
import type { ProviderModel } from "./provider-model.ts";
import { type SampleConsumerStats, startSampleConsumer, type WatchKey } from "./sample-consumer.ts";
import { serve } from "./serve.ts";

/** What the shipped policies call the key and the services that use it. */
export const SANDBOX_KEY = "payments-api";
const CONSUMERS = ["payments", "billing"] as const;
type ConsumerName = (typeof CONSUMERS)[number];

/** How long after reading a new key each consumer starts to use it, in milliseconds. */
const APPLY_DELAYS: Readonly<Record<ConsumerName, number>> = { payments: 400, billing: 1_200 };

export interface SandboxOptions {
  /** Whose API it speaks; default openrouter. */
  provider?: ProviderType;
  /** For arouter only: specs as DIALECT_HELP says. */
  dialect?: readonly string[];
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
  /** How each consumer reads its key; left out: from the file that the file store keeps. */
  watch?: WatchKey;
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
  /** Where the consumers read their key unless `watch` says otherwise, and its field there. */
  secret: { file: string; field: string };
  /** The variables that the shipped policy of the provider reads. */
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
 * `usage` for a fault or dialect that is none or a folder in use, and what `serve` throws.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { provider = "openrouter", dialect = [], clock = systemClock, random = systemRandom } = options;
  if (dialect.length > 0 && provider !== "arouter") throw withoutDialects(provider);
  const kind = PROVIDER_KINDS[provider];
  const model = kind.model({ clock, random, ...options.knobs });
  const api = kind.api(model, new Faults(options.faults), dialect);

  await using starting = new AsyncDisposableStack();
  const folder = options.folder === undefined ? temporary(starting) : await kept(resolve(options.folder));
  const store = join(folder, "secrets");
  await mkdir(store, { mode: 0o700 });
  const secret = { file: join(store, `${SANDBOX_KEY}.json`), field: `${kind.prefix}_API_KEY` };
  const fromFile: WatchKey = (onChange) =>
    watchKey(secret.file, { field: secret.field, intervalMs: 500, onChange });
  const served = await serve(api, { port: options.port ?? 0 });
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
      watch: options.watch ?? fromFile,
      providerUrl: served.url + kind.callsAt,
      model: kind.callable,
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
      [`${kind.prefix}_BASE_URL`]: providerUrl,
      [`${kind.prefix}_MANAGEMENT_KEY`]: model.addManagementKey().reveal(),
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

function withoutDialects(provider: ProviderType): RotationError {
  return new RotationError("usage", `${provider} has no dialects`, {
    hint: "a dialect is ARouter's: choose the provider arouter, or leave the dialect out",
  });
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), "keyturn-sandbox-"));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new RotationError("unusable", `the sandbox can put nothing into ${tmpdir()} (${code})`, {
      hint: "name a folder that this user may write with TMPDIR; in a container: --tmpfs /tmp",
      cause,
    });
  }
}

/** Removed with the rest, and also when the process ends before that. */
function temporary(stack: AsyncDisposableStack): string {
  const folder = temporaryFolder();
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
