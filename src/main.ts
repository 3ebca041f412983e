import { spawn } from "node:child_process";
import { lookup } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import type { Writable } from "node:stream";
import type { Journal } from "./journal/journal.ts";
import type { JournalPlace } from "./journal/place.ts";
import type { KubeApi } from "./kubernetes/api.ts";
import { kubeApi } from "./kubernetes/kube-api.ts";
import { type Clock, systemClock } from "./lib/clock.ts";
import { RotationError } from "./lib/errors.ts";
import type { DirectSend } from "./lib/http-direct.ts";
import { fetchSend } from "./lib/http-fetch.ts";
import { useProxyFromEnv } from "./lib/proxy.ts";
import { type Random, systemRandom } from "./lib/random.ts";
import { secretReader } from "./lib/secret-source.ts";
import { NoticePoint } from "./notify/notice-point.ts";
import { journalPlace, openJournal } from "./open-journal.ts";
import { packageVersion } from "./package.ts";
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
import { kubernetesStore } from "./stores/kubernetes/store.ts";
import type { Store } from "./stores/store.ts";
import { createLogger, type Logger, type LogLevel } from "./telemetry/logger.ts";
import { type CallMeter, MeterPoint } from "./telemetry/metrics/call-meter.ts";
import { meteredProvider, meteredStore } from "./telemetry/metrics/metered.ts";
import type { Metrics } from "./telemetry/metrics/metrics.ts";

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
  /** The file's text that says it. */
  policyText: string;
  warnings: PolicyNote[];
  engine: Engine;
  clients: Clients;
  /** For looking; the engine alone writes it, and closes it. */
  journal: Pick<Journal, "id" | "all" | "assertWritable">;
  clock: Clock;
  random: Random;
  log: Logger;
  /** Begins to measure; to be called once. `process`: also the process and its Node. */
  metrics(options: { process: boolean }): Promise<Metrics>;
  close(): Promise<void>;
}

const outside = { clock: systemClock, random: systemRandom };

/** The composition root: the one place that makes clients, clock, random source and logger. Throws PolicyError before anything is called. */
export async function open(options: OpenOptions): Promise<Opened> {
  const { policy, warnings, text, log, say, meter, kube } = await prepare(options);
  const journal = await openJournal(policy.journal, {
    ...outside,
    kube,
    log: say,
    env: options.env,
    mayCreate: options.mayCreate !== false,
  });
  const made = makers(options.env, say, kube, meter);
  const connect = connections(options.env, made, kube);
  const notices = new NoticePoint();
  const bare = createEngine(policy, {
    ...outside,
    journal,
    connect,
    log: say,
    onNotices: () => notices.ring(),
  });
  const engine =
    options.mayCreate === false ? bare : await delivering(bare, journal, options.env, say, notices);
  return {
    policy,
    policyText: text,
    warnings,
    engine,
    clients: clients(policy, options.env, made, kube),
    journal,
    ...outside,
    log,
    metrics: async ({ process }) => {
      const metrics = await measure(meter, engine, made, process);
      notices.measure(metrics);
      return metrics;
    },
    close: () => engine.close(),
  };
}

/** The same engine, that tells whom its policy says; for commands that act. */
async function delivering(
  engine: Engine,
  journal: Journal,
  env: NodeJS.ProcessEnv,
  log: Log,
  notices: NoticePoint,
): Promise<Engine> {
  const { Courier } = await import("./notify/courier.ts");
  const { notifying } = await import("./notify/notifying.ts");
  const courier = new Courier({
    ...outside,
    journal,
    policy: () => engine.policy(),
    send: fetchSend(),
    sendDirect: lazyDirectSend(),
    readSecret: secretReader(env),
    readFile: (path) => readFile(path, "utf8"),
    log,
    onNotified: (...attempt) => notices.notified(...attempt),
  });
  notices.attach(courier);
  return notifying(engine, courier);
}

/** prom-client is loaded only here, so that commands without metrics never load it. */
async function measure(meter: MeterPoint, engine: Engine, made: Makers, process: boolean): Promise<Metrics> {
  const { createMetrics } = await import("./telemetry/metrics/metrics.ts");
  const metrics = createMetrics({
    ...outside,
    version: packageVersion(),
    process,
    // The collector of files tells them apart by nothing else; a worker has its instance.
    labels: process ? {} : { installation: engine.policy().installation },
    keys: { policy: () => engine.policy(), status: () => engine.status(), provider: made.provider },
  });
  metrics.policyLoaded(true);
  meter.attach(metrics);
  return metrics;
}

/** What there is to show where `open` has thrown. */
export async function metricsWithout(error: RotationError): Promise<{ metrics: Metrics; random: Random }> {
  const { createMetrics } = await import("./telemetry/metrics/metrics.ts");
  const metrics = createMetrics({ ...outside, version: packageVersion(), process: false });
  metrics.policyLoaded(error.code !== "policy-invalid");
  if (error.code !== "policy-invalid") metrics.journalDown();
  metrics.passed(error);
  return { metrics, random: outside.random };
}

/** Makes clients for providers of a policy that is not in force yet. */
export function oneProvider(env: NodeJS.ProcessEnv): (name: string, config: ProviderPolicy) => Provider {
  useProxyFromEnv(env);
  return makers(env, () => {}, kubes(env), new MeterPoint()).provider;
}

/** The journal that the policy names, as a place to move from and to: nobody opens it. */
export async function openPlace(
  options: OpenOptions,
): Promise<{ policy: Policy; place: JournalPlace; clock: Clock }> {
  const { policy, say, kube } = await prepare(options);
  const place = await journalPlace(policy.journal, { ...outside, kube, log: say, env: options.env });
  return { policy, place, clock: systemClock };
}

async function prepare(options: OpenOptions) {
  const { policy, warnings, text } = await loadPolicy(options.policyFile, options.env);
  const log = await createLogger({
    level: options.logLevel as LogLevel,
    pretty: options.pretty,
    color: options.color,
    ...(options.logTo ? { destination: options.logTo } : {}),
  });
  useProxyFromEnv(options.env);
  const say: Log = (level, fields, message) => log[level](fields, message);
  const meter = new MeterPoint();
  return { policy, warnings, text, log, say, meter, kube: kubes(options.env, meter) };
}

/** Clients by what the policy says of them, made when they are first needed and kept. */
interface Makers {
  provider(name: string, config: ProviderPolicy): Provider;
  store(name: string, config: StorePolicy): Store;
}

/** `store`: the store that the client is for, if it is for one. */
type Kubes = (context?: string, store?: string) => KubeApi;

/** One client for each context of the kubeconfig, and for each store; it connects when it is first asked. */
export function kubes(env: NodeJS.ProcessEnv, meter?: CallMeter): Kubes {
  const client = keep((store: string, context: string | undefined) => {
    const onThrottled = (ms: number) => store && meter?.throttled("store", store, ms);
    const connect = async () => (await import("./kubernetes/connect.ts")).connectCluster({ context, env });
    return kubeApi(connect, { ...outside, onThrottled });
  });
  return (context, store = "") => client(store, context);
}

function makers(env: NodeJS.ProcessEnv, log: Log, kube: Kubes, meter: CallMeter): Makers {
  const talk = { ...outside, send: fetchSend(), readSecret: secretReader(env), log: said(log) };
  const meters = { meter, clock: outside.clock };
  const store = (name: string, config: StorePolicy): Store => {
    if (config.type === "file") return fileStore(name, config, outside);
    if (config.type === "kubernetes")
      return kubernetesStore(name, config, { ...outside, kube: kube(config.context, name) });
    const onThrottled = (ms: number) => meter.throttled("store", name, ms);
    return awsStore(name, config, { ...outside, env, onThrottled });
  };
  return {
    provider: keep((name, config) => {
      const make = config.type === "arouter" ? arouterProvider : openRouterProvider;
      const onThrottled = (ms: number) => meter.throttled("provider", name, ms);
      return meteredProvider(make(name, config, { ...talk, onThrottled }), meters);
    }),
    store: keep((name, config) => meteredStore(store(name, config), meters)),
  };
}

function clients({ providers, stores }: Policy, env: NodeJS.ProcessEnv, made: Makers, kube: Kubes): Clients {
  const parts = probeParts(env, kube);
  return {
    provider: (name) => made.provider(name, entry("provider", providers, name)),
    store: (name) => made.store(name, entry("store", stores, name)),
    probes: (key) => probesOf({ key, store: stores[key.store.use] }, parts),
  };
}

/** A key of the policy, and the store that it is kept in. */
interface Home {
  key: KeyPolicy;
  store: StorePolicy | undefined;
}

function probesOf(home: Home, parts: ProbeParts): Probe[] {
  const { consumers } = home.key;
  return consumers === "none" ? [] : consumers.map((consumer) => createProbe(consumer, parts, home));
}

function entry<T>(kind: string, entries: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(entries, name)) return entries[name] as T;
  const names = Object.keys(entries);
  throw new RotationError("usage", `the policy has no ${kind} ${JSON.stringify(name)}`, {
    hint: didYouMean(name, names) ?? `it has: ${names.join(", ")}`,
  });
}

function probeParts(env: NodeJS.ProcessEnv, kube: Kubes): ProbeParts {
  return {
    send: lazyDirectSend(),
    readSecret: secretReader(env),
    readFile: (path) => readFile(path, "utf8"),
    lookup: (hostname) => lookup(hostname, { all: true }),
    run: spawn,
    kube,
    clock: systemClock,
    env,
  };
}

function connections(env: NodeJS.ProcessEnv, made: Makers, kube: Kubes): Connections {
  const parts = probeParts(env, kube);
  return {
    provider: ({ key, provider }) => made.provider(key.provider, provider),
    store: ({ key, store }) => made.store(key.store.use, store),
    probes: (snapshot) => probesOf(snapshot, parts),
    reloads: (snapshot) =>
      snapshot.key.consumers === "none"
        ? []
        : snapshot.key.consumers
            .map((consumer) => createReload(consumer, parts, snapshot))
            .filter((hook) => hook !== undefined),
  };
}

/** Loads TLS and all of HTTP with the first request: a pass with nothing to do makes none. */
function lazyDirectSend(): DirectSend {
  let loaded: Promise<DirectSend> | undefined;
  return async (request) => {
    loaded ??= import("./lib/http-direct.ts").then(({ directSend }) => directSend());
    return await (await loaded)(request);
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
