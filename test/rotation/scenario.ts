import { createHash } from "node:crypto";
import { type MemoryJournal, memoryJournal, memoryJournalState } from "../../src/journal/memory.ts";
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
  const random = seededRandom(options.seed);
  const model = new ProviderModel({ clock, random });
  const managementKey = model.addManagementKey();
  const faults = new Faults(options.faults ?? []);
  const handler = openRouterApi(model, faults);
  const backing: MemoryBacking = new Map();
  const journalState = memoryJournalState(random);
  const services = new Map<string, ServiceModel>();
  const violations: string[] = [];
  const logged: string[] = [];

  const service = (name: string, instances = 1, applyDelay = 300) => {
    const made = new ServiceModel({
      name,
      clock,
      instances,
      applyDelay,
      read: () => backing.get("payments")?.text,
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
    if (hash && kills && !world.revoking) {
      if (hash === hashOf(world.current())) violations.push(`${request.method} of the store's current key`);
      for (const one of services.values())
        if (one.serving().some((key) => key !== undefined && hashOf(key) === hash))
          violations.push(`${request.method} of a key that ${one.name} serves with`);
    }
    return await handlerSend(handler, clock)(request);
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
    faults,
    backing,
    services,
    payments,
    service,
    violations,
    logged,
    managementKey,
    journalState,
    revoking: false,
    policy: policyOf(options.keys ?? [key], options.installation),
    setPolicy: (keys: Record<string, unknown>[], installation?: string) => {
      world.policy = policyOf(keys, installation);
    },
    key,
    current: () => fieldOf(backing.get("payments")?.text, "OPENROUTER_API_KEY"),
    /** A person writes the consumer file. */
    write: (object: Record<string, unknown>) => {
      const entry = backing.get("payments") ?? {};
      backing.set("payments", { ...entry, text: `${JSON.stringify(object, null, 2)}\n` });
    },
    live: () => model.liveKeys().filter((one) => !one.disabled),
    process: (life?: Mortality) => newProcess(life),
  };

  function newProcess(life?: Mortality) {
    const journal = memoryJournal({ clock, random }, journalState);
    const real: Parts = {
      journal,
      clock,
      random,
      connect: connections(life),
      log: (level, fields, message) => logged.push(JSON.stringify({ level, ...fields, message })),
    };
    const parts = life ? { ...real, journal: mortal(journal, "journal", life) } : real;
    const engine = createEngine(world.policy, parts);
    return new Process(engine, journal, clock);
  }

  function connections(life?: Mortality): Connections {
    const alive = <T extends object>(part: T, name: string) => (life ? mortal(part, name, life) : part);
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
    const store = alive(memoryStore("local", { clock, backing }), "store");
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
      clock,
      env: {},
    };
    return {
      provider: () => provider,
      store: () => store,
      probes: (snapshot) =>
        snapshot.key.consumers === "none"
          ? []
          : snapshot.key.consumers.map((one) => createProbe(one, probeParts)),
      reloads: (snapshot) =>
        snapshot.key.consumers === "none"
          ? []
          : snapshot.key.consumers
              .map((one) => createReload(one, probeParts))
              .filter((one) => one !== undefined),
    };
  }

  if (options.existing !== false) {
    const { key: first } = model.create({ name: "made by hand", limit: 150, limitReset: "monthly" });
    world.write({ OPENROUTER_API_KEY: first.reveal(), OTHER: "kept" });
    payments.settle();
  }
  return world;
}

export type Scenario = Awaited<ReturnType<typeof scenario>>;

/** One process of keyturn on the world. */
export class Process {
  readonly engine: Engine;
  readonly journal: MemoryJournal;
  private readonly clock: ReturnType<typeof virtualClock>;

  constructor(engine: Engine, journal: MemoryJournal, clock: ReturnType<typeof virtualClock>) {
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
    more: Record<string, unknown> = {},
  ): Promise<KeyResult> {
    await this.engine.request("payments-api", { kind, actor: "test", ...more });
    const [result] = await this.once({ keys: ["payments-api"] });
    return result as KeyResult;
  }

  async status() {
    const [status] = await this.engine.status(["payments-api"]);
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
    stores: { local: { type: "file", path: "/store" } },
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
