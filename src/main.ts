import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { Journal } from "./journal/journal.ts";
import { memoryJournal } from "./journal/memory.ts";
import { openSqliteJournal } from "./journal/sqlite/open.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import { RotationError } from "./lib/errors.ts";
import { directSend } from "./lib/http-direct.ts";
import { fetchSend } from "./lib/http-fetch.ts";
import { useProxyFromEnv } from "./lib/proxy.ts";
import { type Random, systemRandom } from "./lib/random.ts";
import { secretReader } from "./lib/secret-source.ts";
import { loadPolicy, type PolicyNote } from "./policy/load.ts";
import { didYouMean } from "./policy/nearest.ts";
import type { KeyPolicy, Policy, ProviderPolicy, StorePolicy } from "./policy/schema.ts";
import { createProbe } from "./probes/create-probe.ts";
import type { ProbeParts } from "./probes/parts.ts";
import type { Probe } from "./probes/probe.ts";
import { createReload } from "./probes/reload.ts";
import { arouterProvider } from "./providers/arouter/provider.ts";
import { openRouterProvider } from "./providers/openrouter/provider.ts";
import type { Provider } from "./providers/provider.ts";
import { createEngine } from "./rotation/engine.ts";
import type { Engine } from "./rotation/engine-api.ts";
import type { Connections, Log } from "./rotation/parts.ts";
import { awsStore } from "./stores/aws/store.ts";
import { fileStore } from "./stores/file/file-store.ts";
import type { Store } from "./stores/store.ts";
import { createLogger, type Logger, type LogLevel } from "./telemetry/logger.ts";

export interface OpenOptions {
  policyFile: string;
  logLevel: string;
  env: NodeJS.ProcessEnv;
  color: boolean;
  /** Readable log lines in place of JSON. */
  pretty: boolean;
  /** Where log lines go; standard error when left out. */
  logTo?: Writable;
  /** False for commands that only look: a journal that is not there is not made, and counts as empty. */
  mayCreate?: boolean;
}

/** Clients by their names in the policy: the same that the engine works with. */
export interface Clients {
  /** Throws RotationError `usage` for a name that the policy lacks; so does `store`. */
  provider(name: string): Provider;
  store(name: string): Store;
  probes(key: KeyPolicy): Probe[];
}

export interface Opened {
  policy: Policy;
  warnings: PolicyNote[];
  engine: Engine;
  clients: Clients;
  /** For looking; the engine alone writes it, and closes it. */
  journal: Pick<Journal, "id" | "all">;
  clock: Clock;
  random: Random;
  log: Logger;
  close(): Promise<void>;
}

/** The composition root: the one place that makes clients, clock, random source and logger. Throws PolicyError before anything is called. */
export async function open(options: OpenOptions): Promise<Opened> {
  const { policy, warnings } = await loadPolicy(options.policyFile, options.env);
  const log = await createLogger({
    level: options.logLevel as LogLevel,
    pretty: options.pretty,
    color: options.color,
    ...(options.logTo ? { destination: options.logTo } : {}),
  });
  useProxyFromEnv(options.env);
  const clock = systemClock;
  const random = systemRandom;
  const onlyLook = options.mayCreate === false && !existsSync(policy.journal.path);
  const journal = onlyLook
    ? memoryJournal({ clock, random })
    : await openSqliteJournal(policy.journal.path, { clock, random });
  const say: Log = (level, fields, message) => log[level](fields, message);
  const made = makers(options.env, say);
  const connect = connections(options.env, made);
  const engine = createEngine(policy, { journal, connect, clock, random, log: say });
  return {
    policy,
    warnings,
    engine,
    clients: clients(policy, options.env, made),
    journal,
    clock,
    random,
    log,
    close: () => engine.close(),
  };
}

/** Clients by what the policy says of them, made when they are first needed and kept. */
interface Makers {
  provider(name: string, config: ProviderPolicy): Provider;
  store(name: string, config: StorePolicy): Store;
}

function makers(env: NodeJS.ProcessEnv, log: Log): Makers {
  const outside = { clock: systemClock, random: systemRandom };
  const talk = { ...outside, send: fetchSend(), readSecret: secretReader(env), log: said(log) };
  return {
    provider: keep((name, config) => {
      const make = config.type === "arouter" ? arouterProvider : openRouterProvider;
      return make(name, config, talk);
    }),
    store: keep((name, config) =>
      config.type === "file" ? fileStore(name, config, outside) : awsStore(name, config, { ...outside, env }),
    ),
  };
}

function clients({ providers, stores }: Policy, env: NodeJS.ProcessEnv, made: Makers): Clients {
  const parts = probeParts(env);
  return {
    provider: (name) => made.provider(name, entry("provider", providers, name)),
    store: (name) => made.store(name, entry("store", stores, name)),
    probes: (key) => probesOf(key, parts),
  };
}

function probesOf({ consumers }: KeyPolicy, parts: ProbeParts): Probe[] {
  return consumers === "none" ? [] : consumers.map((consumer) => createProbe(consumer, parts));
}

function entry<T>(kind: string, entries: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(entries, name)) return entries[name] as T;
  const names = Object.keys(entries);
  throw new RotationError("usage", `the policy has no ${kind} ${JSON.stringify(name)}`, {
    hint: didYouMean(name, names) ?? `it has: ${names.join(", ")}`,
  });
}

function probeParts(env: NodeJS.ProcessEnv): ProbeParts {
  return {
    send: directSend(),
    readSecret: secretReader(env),
    readFile: (path) => readFile(path, "utf8"),
    lookup: (hostname) => lookup(hostname, { all: true }),
    run: spawn,
    clock: systemClock,
    env,
  };
}

function connections(env: NodeJS.ProcessEnv, made: Makers): Connections {
  const parts = probeParts(env);
  return {
    provider: ({ key, provider }) => made.provider(key.provider, provider),
    store: ({ key, store }) => made.store(key.store.use, store),
    probes: ({ key }) => probesOf(key, parts),
    reloads: ({ key }) =>
      key.consumers === "none"
        ? []
        : key.consumers.map((consumer) => createReload(consumer, parts)).filter((hook) => hook !== undefined),
  };
}

/** One client for each name and configuration, so that limits and patience are shared by all keys that use it. */
function keep<Config, T>(make: (name: string, config: Config) => T) {
  const kept = new Map<string, T>();
  return (name: string, config: Config): T => {
    const id = JSON.stringify([name, config]);
    const found = kept.get(id) ?? make(name, config);
    kept.set(id, found);
    return found;
  };
}

/** The clients' log lines, whose message comes before the fields. */
function said(log: Log) {
  return (level: "debug" | "warn", message: string, data: Record<string, unknown> = {}) =>
    log(level, data, message);
}
