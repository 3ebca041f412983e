import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { PolicySnapshot } from "./journal/document.ts";
import { memoryJournal } from "./journal/memory.ts";
import { openSqliteJournal } from "./journal/sqlite/open.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import { directSend } from "./lib/http-direct.ts";
import { fetchSend } from "./lib/http-fetch.ts";
import { useProxyFromEnv } from "./lib/proxy.ts";
import { systemRandom } from "./lib/random.ts";
import { secretReader } from "./lib/secret-source.ts";
import { loadPolicy, type PolicyNote } from "./policy/load.ts";
import type { Policy } from "./policy/schema.ts";
import { createProbe } from "./probes/create-probe.ts";
import type { ProbeParts } from "./probes/parts.ts";
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

export interface Opened {
  policy: Policy;
  warnings: PolicyNote[];
  engine: Engine;
  clock: Clock;
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
  const engine = createEngine(policy, {
    journal,
    connect: connections(options.env, say),
    clock,
    random,
    log: say,
  });
  return { policy, warnings, engine, clock, log, close: () => engine.close() };
}

/** Clients by what the policy says of them, made when they are first needed and kept. */
function connections(env: NodeJS.ProcessEnv, log: Log): Connections {
  const readSecret = secretReader(env);
  const send = fetchSend();
  const parts: ProbeParts = {
    send: directSend(),
    readSecret,
    readFile: (path) => readFile(path, "utf8"),
    lookup: (hostname) => lookup(hostname, { all: true }),
    run: spawn,
    clock: systemClock,
    env,
  };
  const outside = { clock: systemClock, random: systemRandom };
  const talk = { ...outside, send, readSecret, log: said(log) };
  const providers = keep((name, { provider }): Provider => {
    const make = provider.type === "arouter" ? arouterProvider : openRouterProvider;
    return make(name, provider, talk);
  });
  const stores = keep(
    (name, { store }): Store =>
      store.type === "file" ? fileStore(name, store, outside) : awsStore(name, store, { ...outside, env }),
  );
  return {
    provider: (snapshot) => providers(snapshot.key.provider, snapshot.provider, snapshot),
    store: (snapshot) => stores(snapshot.key.store.use, snapshot.store, snapshot),
    probes: ({ key }) =>
      key.consumers === "none" ? [] : key.consumers.map((consumer) => createProbe(consumer, parts)),
    reloads: ({ key }) =>
      key.consumers === "none"
        ? []
        : key.consumers.map((consumer) => createReload(consumer, parts)).filter((hook) => hook !== undefined),
  };
}

/** One client for each name and configuration, so that limits and patience are shared by all keys that use it. */
function keep<T>(make: (name: string, snapshot: PolicySnapshot) => T) {
  const kept = new Map<string, T>();
  return (name: string, config: unknown, snapshot: PolicySnapshot): T => {
    const id = JSON.stringify([name, config]);
    const found = kept.get(id) ?? make(name, snapshot);
    kept.set(id, found);
    return found;
  };
}

/** The clients' log lines, whose message comes before the fields. */
function said(log: Log) {
  return (level: "debug" | "warn", message: string, data: Record<string, unknown> = {}) =>
    log(level, data, message);
}
