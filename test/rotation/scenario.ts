import { createHash } from "node:crypto";
import {
  type MemoryJournal,
  type MemoryJournalState,
  memoryJournal,
  memoryJournalState,
} from "../../src/journal/memory.ts";
import type { KubeApi } from "../../src/kubernetes/api.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpResponse, HttpSend } from "../../src/lib/http.ts";
import type { DirectRequest } from "../../src/lib/http-direct.ts";
import type { Random } from "../../src/lib/random.ts";
import { type Policy, policySchema } from "../../src/policy/schema.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { ProbeParts } from "../../src/probes/parts.ts";
import { createReload } from "../../src/probes/reload.ts";
import { openRouterProvider } from "../../src/providers/openrouter/provider.ts";
import { createEngine } from "../../src/rotation/engine.ts";
import type { Engine, PassOptions } from "../../src/rotation/engine-api.ts";
import type { Connections, Parts } from "../../src/rotation/parts.ts";
import type { KeyResult } from "../../src/rotation/report.ts";
import { Faults } from "../../src/sandbox/faults.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { type MemoryBacking, memoryStore } from "../../src/stores/memory.ts";
import type { Store } from "../../src/stores/store.ts";
import { virtualClock } from "../providers/virtual-clock.ts";
import { type Mortality, mortal } from "./mortal.ts";
import { ServiceModel } from "./service-model.ts";

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** Deterministic bytes and fractions, the same for the same seed. */
export function seededRandom(seed = "seed"): Random {
  let count = 0;
  const next = () => createHash("sha256").update(`${seed}:${count++}`).digest();
  return {
    bytes: (n) => Uint8Array.from({ length: n }, () => next()[0] as number),
    fraction: () => next().readUInt32BE(0) / 2 ** 32,
  };
}

export const FIELD = "OPENROUTER_API_KEY";

/** Runs before each call of a part, named `part.method`: it may wait, or throw in place of the call. */
export type Hook = (call: string, args: readonly unknown[]) => Promise<void>;

export interface ProcessOptions {
  life?: Mortality;
  before?: Hook;
  /** Another installation's journal. */
  state?: MemoryJournalState;
  /** Another store than the one in memory. */
  store?: Store;
  /** The cluster that Kubernetes probes and reloads ask. */
  kube?: KubeApi;
  /** Told that notices were committed. */
  onNotices?: () => void;
  /** How far its clock is ahead of the right time, in place of the world's `ahead`. Milliseconds. */
  ahead?: number;
}

function hooked<T extends object>(part: T, name: string, before: Hook): T {
  return new Proxy(part, {
    get(inner, property) {
      const value = Reflect.get(inner, property) as unknown;
      if (typeof value !== "function" || property === "skewMs" || property === "kill") return value;
      return async (...args: unknown[]) => {
        await before(`${name}.${String(property)}`, args);
        return (await value.apply(inner, args)) as unknown;
      };
    },
  });
}

export interface ScenarioOptions {
  /** Merged over the one key's defaults. */
  key?: Record<string, unknown>;
  /** The policy's keys in place of the one. */
  keys?: Record<string, unknown>[];
  installation?: string;
  faults?: string[];
  /** A key that the consumers use already, put into the store by a person; false for an empty store. */
  existing?: boolean;
  seed?: string;
}

/** One world in virtual time: the provider's model, a store, a journal, and services that use the key. Processes come and go on it. */
export async function scenario(options: ScenarioOptions = {}) {
  const clock = virtualClock();
  const rightTime = clock;
  const random = seededRandom(options.seed);
  const model = new ProviderModel({ clock, random });
  const managementKey = model.addManagementKey();
  const handler = (request: Request) => openRouterApi(model, world.faults)(request);
  const backing: MemoryBacking = new Map();
  const journalState = memoryJournalState(random);
  const services = new Map<string, ServiceModel>();
  const violations: string[] = [];
  const revoked: string[] = [];
  const logged: string[] = [];

  const service = (
    name: string,
    instances = 1,
    uses: { secret?: string; field?: string; key?: string } = {},
  ) => {
    const { secret = "payments", field = FIELD, key = "payments-api" } = uses;
    const made = new ServiceModel({
      name,
      clock,
      instances,
      applyDelay: 300,
      key,
      read: () => fieldOf(backing.get(secret)?.text, field),
    });
    services.set(name, made);
    return made;
  };
  const payments = service("payments");

  /** Invariant 1, seen from outside: what is disabled or deleted is neither current nor served with by anyone who told the truth. */
  const watched: HttpSend = async (request) => {
    const hash = /\/keys\/([0-9a-f]{64})$/.exec(new URL(request.url).pathname)?.[1];
    const body = request.body === undefined ? {} : (JSON.parse(request.body) as { disabled?: boolean });
    const kills = request.method === "DELETE" || (request.method === "PATCH" && body.disabled === true);
    if (hash && kills) revoked.push(`${request.method === "DELETE" ? "delete" : "disable"} ${hash}`);
    if (hash && kills && !world.revoking) {
      if (hash === hashOf(world.current())) violations.push(`${request.method} of the store's current key`);
      for (const one of services.values())
        if (one.serving().some((key) => key !== undefined && hashOf(key) === hash))
          violations.push(`${request.method} of a key that ${one.name} serves with`);
    }
    const { headers, ...rest } = await handlerSend(handler, clock)(request);
    const date = new Date(Date.parse(headers.date ?? "") + world.skewMs);
    return {
      ...rest,
      headers: headers.date === undefined ? headers : { ...headers, date: date.toUTCString() },
    };
  };

  const key = {
    name: "payments-api",
    provider: "openrouter",
    schedule: { every: "30d" },
    store: { use: "local", secret: "payments", field: "OPENROUTER_API_KEY" },
    consumers: [{ name: "payments", probe: { http: "http://payments/healthz" } }],
    confirm: { timeout: "10m", interval: "5s" },
    retire: { watch: "10s" },
    ...options.key,
  };

  const world = {
    clock,
    random,
    model,
    faults: new Faults(options.faults ?? []),
    /** No faults any more. */
    calm: () => {
      world.faults = new Faults();
      world.storeFails = undefined;
    },
    backing,
    services,
    payments,
    service,
    violations,
    /** Every disable and delete that went out, as `disable HASH`, in order. */
    revoked,
    logged,
    managementKey,
    journalState,
    revoking: false,
    /** The provider's clock less the right time. */
    skewMs: 0,
    /** How far our clock is ahead of the right time, in milliseconds; it may change at any time. */
    ahead: 0,
    /** Draws the fractions in place of the seed, while set. */
    fraction: undefined as (() => number) | undefined,
    /** What every call of the store fails with, while set. */
    storeFails: undefined as RotationError | undefined,
    policy: policyOf(options.keys ?? [key], options.installation),
    setPolicy: (keys: Record<string, unknown>[], installation?: string) => {
      world.policy = policyOf(keys, installation);
    },
    key,
    current: (field = FIELD, secret = "payments") => fieldOf(backing.get(secret)?.text, field),
    file: (secret = "payments") => JSON.parse(backing.get(secret)?.text ?? "{}") as Record<string, unknown>,
    /** A person writes the consumer file. */
    write: (object: Record<string, unknown>, secret = "payments") => {
      const entry = backing.get(secret) ?? {};
      backing.set(secret, { ...entry, text: `${JSON.stringify(object, null, 2)}\n` });
    },
    /** A key that a person makes at the provider's site. */
    byHand: (name = "made by hand") => model.create({ name, limit: 150, limitReset: "monthly" }).key.reveal(),
    live: () => model.liveKeys().filter((one) => !one.disabled),
    /** Requests that reached the provider, as `METHOD path`. */
    sent: (method: string) => model.requests.filter((request) => request.method === method),
    process: (options?: Mortality | ProcessOptions) =>
      newProcess(options && "die" in options ? { life: options } : options),
  };

  function newProcess(options: ProcessOptions = {}) {
    const { life, before, store, kube, ahead, onNotices, state = journalState } = options;
    const clock: Clock = {
      now: () => rightTime.now() + (ahead ?? world.ahead),
      async sleep(ms, signal) {
        await before?.("clock.sleep", [ms]);
        await rightTime.sleep(ms, signal);
      },
    };
    const journal = memoryJournal({ clock, random }, state);
    const real: Parts = {
      journal,
      clock,
      random: { ...random, fraction: () => world.fraction?.() ?? random.fraction() },
      connect: connections(clock, { life, before, store, kube }),
      log: (level, fields, message) => logged.push(JSON.stringify({ level, ...fields, message })),
      ...(onNotices ? { onNotices } : {}),
    };
    const parts = life ? { ...real, journal: mortal(journal, "journal", life) } : real;
    if (before) parts.journal = hooked(parts.journal, "journal", before);
    const engine = createEngine(world.policy, parts);
    return new Process(engine, journal, clock);
  }

  function connections(
    clock: Clock,
    { life, before, store: kept, kube }: Pick<ProcessOptions, "life" | "before" | "store" | "kube">,
  ): Connections {
    const alive = <T extends object>(part: T, name: string) => {
      const one = before ? hooked(part, name, before) : part;
      return life ? mortal(one, name, life) : one;
    };
    const weather: Hook = async () => {
      if (world.storeFails) throw world.storeFails;
    };
    const provider = openRouterProvider(
      "openrouter",
      {
        baseUrl: "http://openrouter.test/api/v1",
        managementKey: { env: "MANAGEMENT" },
        headers: {},
        rateLimit: { requestsPerSecond: 1_000, concurrency: 8 },
      },
      {
        send: alive({ send: watched }, "provider").send,
        clock,
        random,
        readSecret: async () => world.managementKey,
      },
    );
    const store = alive(hooked(kept ?? memoryStore("local", { clock, backing }), "store", weather), "store");
    const probeParts: ProbeParts = {
      send: alive({ send: (request: DirectRequest) => answer(services, request) }, "probe").send,
      readSecret: async () => world.managementKey,
      readFile: async () => "",
      lookup: async (name) =>
        services
          .get(name)
          ?.addresses()
          .map((address) => ({ address })) ?? [],
      run: () => {
        throw new Error("no exec in this world");
      },
      kube: () => {
        if (kube === undefined) throw new Error("no cluster in this world");
        return kube;
      },
      clock,
      env: {},
    };
    return {
      provider: () => provider,
      store: () => store,
      probes: (snapshot) =>
        snapshot.key.consumers === "none"
          ? []
          : snapshot.key.consumers.map((one) => createProbe(one, probeParts, snapshot)),
      reloads: (snapshot) =>
        snapshot.key.consumers === "none"
          ? []
          : snapshot.key.consumers
              .map((one) => createReload(one, probeParts, snapshot))
              .filter((one) => one !== undefined),
    };
  }

  if (options.existing !== false) {
    world.write({ [FIELD]: world.byHand(), OTHER: "kept" });
    payments.settle();
  }
  return world;
}

export type Scenario = Awaited<ReturnType<typeof scenario>>;

/** One process of keyturn on the world. */
export class Process {
  readonly engine: Engine;
  readonly journal: MemoryJournal;
  private readonly clock: Clock;

  constructor(engine: Engine, journal: MemoryJournal, clock: Clock) {
    this.engine = engine;
    this.journal = journal;
    this.clock = clock;
  }

  once(options: Partial<PassOptions> & { within?: number } = {}): Promise<KeyResult[]> {
    const { within = HOUR, ...rest } = options;
    return this.engine.pass({ deadline: this.clock.now() + within, start: true, until: "deleted", ...rest });
  }

  async now(options: Partial<PassOptions> & { within?: number } = {}): Promise<KeyResult> {
    await this.engine.request("payments-api", { kind: "rotate", actor: "test" });
    const [result] = await this.once({ keys: ["payments-api"], ...options });
    return result as KeyResult;
  }

  async ask(
    kind: "approve" | "rollback" | "revoke" | "take-over",
    more: { without?: string; immediately?: boolean; within?: number; until?: "completed" | "deleted" } = {},
  ): Promise<KeyResult> {
    const { within, until, ...asked } = more;
    await this.engine.request("payments-api", { kind, actor: "test", ...asked });
    const [result] = await this.once({
      keys: ["payments-api"],
      ...(within === undefined ? {} : { within }),
      ...(until === undefined ? {} : { until }),
    });
    return result as KeyResult;
  }

  async status(key = "payments-api") {
    const [status] = await this.engine.status([key]);
    if (status === undefined) throw new Error("no status");
    return status;
  }

  async kinds(): Promise<string[]> {
    return (await this.engine.history({})).map((event) => event.kind);
  }

  /** SIGKILL. */
  kill(): void {
    this.journal.kill();
  }
}

export function policyOf(keys: Record<string, unknown>[], installation = "test"): Policy {
  return policySchema.parse({
    version: 1,
    installation,
    providers: { openrouter: { type: "openrouter", managementKey: { env: "MANAGEMENT" } } },
    stores: {
      local: { type: "file", path: "/store" },
      aws: { type: "aws-secrets-manager", region: "eu-west-1" },
      cluster: { type: "kubernetes", namespace: "shop" },
    },
    keys,
  });
}

export function hashOf(key: string | undefined): string | undefined {
  return key === undefined ? undefined : createHash("sha256").update(key).digest("hex");
}

function fieldOf(text: string | undefined, field: string): string | undefined {
  if (text === undefined) return undefined;
  return (JSON.parse(text) as Record<string, string>)[field];
}

async function answer(
  services: ReadonlyMap<string, ServiceModel>,
  request: DirectRequest,
): Promise<HttpResponse> {
  const { hostname } = new URL(request.url);
  const service = services.get(hostname);
  if (service === undefined) throw new RotationError("unreachable", `${hostname} is not there`);
  return service.answer(request);
}
