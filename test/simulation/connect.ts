import type { KubeApi, KubeRequest } from "../../src/kubernetes/api.ts";
import { kubeApi } from "../../src/kubernetes/kube-api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpRequest, HttpResponse } from "../../src/lib/http.ts";
import type { DirectRequest } from "../../src/lib/http-direct.ts";
import { Secret } from "../../src/lib/secret.ts";
import { type KeyPolicy, type Policy, policySchema } from "../../src/policy/schema.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { ProbeParts } from "../../src/probes/parts.ts";
import { createReload } from "../../src/probes/reload.ts";
import { arouterProvider } from "../../src/providers/arouter/provider.ts";
import { openRouterProvider } from "../../src/providers/openrouter/provider.ts";
import { createEngine } from "../../src/rotation/engine.ts";
import type { Engine } from "../../src/rotation/engine-api.ts";
import type { Connections } from "../../src/rotation/parts.ts";
import { handlerSend } from "../../src/sandbox/handler-send.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import { kubernetesStore } from "../../src/stores/kubernetes/store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { directClient } from "../aws/direct-client.ts";
import { HOME, SHOP } from "./cluster.ts";
import { SimProcess } from "./process.ts";
import type { ErrorMaker } from "./weather.ts";
import type { World } from "./world.ts";

const parsed = new Map<string, Policy>();

/** The policy as people have it now; the rival installation's names the same places. */
export function policyOf(world: World, installation: string): Policy {
  const text = JSON.stringify({
    version: 1,
    installation,
    providers: { router: { type: world.plan.provider, managementKey: { env: "MANAGEMENT" } } },
    stores: {
      local: { type: "file", path: "/store" },
      aws: { type: "aws-secrets-manager", region: "eu-west-1" },
      cluster: { type: "kubernetes", namespace: SHOP },
    },
    keys: [...world.policyKeys.values()],
  });
  const known = parsed.get(text) ?? policySchema.parse(JSON.parse(text));
  if (parsed.size > 200) parsed.clear();
  parsed.set(text, known);
  return known;
}

/** A process of keyturn as it starts: its own journal handle, clients and engine, all its calls through the process. */
export function startProcess(
  world: World,
  name: string,
  installation = "prod",
): { process: SimProcess; opened: Promise<Engine> } {
  const process = new SimProcess({ name, installation, timeline: world.timeline, around: world });
  world.processes.add(process);
  return { process, opened: open(world, process, policyOf(world, installation)) };
}

/** Rejects when the journal cannot be opened. */
async function open(world: World, process: SimProcess, policy: Policy): Promise<Engine> {
  const { clock, installation, name } = process;
  const random = world.chance.fork();
  const kube = kubeOf(world, process);
  const journal = await world.journal(installation).open(process, { random, kube });
  return createEngine(policy, {
    journal: weathered(world, process, journal, "journal"),
    connect: connections(world, process, kube),
    clock,
    random,
    log: (level, fields, message) => {
      const line = JSON.stringify({ level, ...fields, message });
      world.logged.push(line);
      if (level !== "debug") world.trace.write(name, `${level}: ${message}`);
    },
  });
}

/** The API of the cluster as one process reaches it. */
function kubeOf(world: World, process: SimProcess): KubeApi {
  const send = world.cluster.sendOf(process);
  return kubeApi(
    async () => ({
      send: (request) => process.call(`cluster ${objectOf(request)}`, () => send(request)),
      namespace: HOME,
      name: "model",
    }),
    { clock: process.clock, random: world.chance.fork() },
  );
}

/** `GET secrets/app`. */
function objectOf({ method, path }: KubeRequest): string {
  return `${method} ${path.split("/namespaces/")[1]?.split("/").slice(1).join("/") ?? path}`;
}

/** A part as the process reaches it: killed and paused at its calls, with the weather in between. */
function weathered<T extends object>(
  world: World,
  process: SimProcess,
  part: T,
  name: string,
  error?: ErrorMaker,
): T {
  const under = new Proxy(part, {
    get: (inner, property) => {
      const value = Reflect.get(inner, property) as unknown;
      if (typeof value !== "function" || property === "kill") return value;
      // The weather is over changes; nine calls in ten are these two, and nobody watches them.
      if (name === "journal" && property === "read") return value.bind(inner);
      return (...args: unknown[]) =>
        world.weather.through(
          `${name}.${String(property)}`,
          async () => {
            const method = String(property);
            world.observer.beforeCall(process, name, method, args);
            const pending = world.as(process, () => value.apply(inner, args)) as unknown;
            // What it has changed at once is its doing, whoever else gets an answer first.
            if (name !== "journal") world.observer.look(process);
            const result = await pending;
            // One in the cluster is seen as it lands.
            const seen = name === "journal" && world.plan.journal === "cluster";
            if (!seen) world.observer.afterCall(process, name, method, args);
            return result;
          },
          error,
        );
    },
  });
  return process.wrap(under, name);
}

/** A part whose calls are several of the cluster's, at which the process is killed and paused; the observer sees them as one. */
function watched<T extends object>(world: World, process: SimProcess, part: T, name: string): T {
  return new Proxy(part, {
    get: (inner, property) => {
      const value = Reflect.get(inner, property) as unknown;
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        world.observer.beforeCall(process, name, String(property), args);
        const result = (await value.apply(inner, args)) as unknown;
        world.observer.afterCall(process, name, String(property), args);
        return result;
      };
    },
  });
}

function connections(world: World, process: SimProcess, kube: KubeApi): Connections {
  const { clock } = process;
  const random = world.chance.fork();
  const make = world.plan.provider === "arouter" ? arouterProvider : openRouterProvider;
  const wire = handlerSend((request) => world.as(process, () => world.handle(request)), world.timeline);
  const provider = make(
    "router",
    {
      baseUrl: "http://router.test/api/v1",
      managementKey: { env: "MANAGEMENT" },
      headers: {},
      rateLimit: { requestsPerSecond: 1_000, concurrency: 8 },
    },
    {
      send: async (request) => {
        const landed = world.observer.sending(process, request);
        try {
          return await process.call(`provider ${siteOf(request)}`, () => wire(request));
        } finally {
          landed();
        }
      },
      clock,
      random,
      readSecret: async () => world.managementKey,
    },
  );
  const local = weathered(world, process, memoryStore("local", { clock, backing: world.disk }), "local");
  const client = directClient(world.aws);
  const aws = awsStore(
    "aws",
    { type: "aws-secrets-manager" },
    {
      clock,
      random,
      client: {
        ...weathered(world, process, withoutConfig(client), "aws", awsTrouble),
        config: client.config,
      },
    },
  );
  const secrets = kubernetesStore(
    "cluster",
    { type: "kubernetes", namespace: SHOP },
    { kube, clock, random },
  );
  const cluster = watched(world, process, secrets, "cluster");
  const parts = probeParts(world, process);
  return {
    provider: () => provider,
    store: ({ key }) => ({ aws, cluster })[key.store.use] ?? local,
    probes: ({ key }) => consumersOf(key).map((one) => createProbe(one, parts)),
    reloads: ({ key }) =>
      consumersOf(key)
        .map((one) => createReload(one, parts))
        .filter((one) => one !== undefined),
  };
}

function consumersOf({ consumers }: KeyPolicy) {
  return consumers === "none" ? [] : consumers;
}

function probeParts(world: World, process: SimProcess): ProbeParts {
  const serviceOf = (name: string) =>
    world.places.flatMap(({ services }) => services).find((service) => service.name === name);
  const answer = async (request: DirectRequest): Promise<HttpResponse> => {
    const { hostname } = new URL(request.url);
    const service = serviceOf(hostname);
    if (service === undefined) throw new RotationError("unreachable", `${hostname} is not there`);
    return service.answer(request);
  };
  return {
    send: (request) => {
      const { hostname } = new URL(request.url);
      process.swept.set(hostname, world.timeline.now());
      return process.call(`${request.method === "POST" ? "hook" : "probe"} ${hostname}`, () =>
        answer(request),
      );
    },
    readSecret: async () => new Secret("unused"),
    readFile: async () => "",
    lookup: async (name) => {
      process.swept.set(name, world.timeline.now());
      return (serviceOf(name)?.addresses() ?? []).map((address) => ({ address }));
    },
    run: () => {
      throw new Error("no exec in this world");
    },
    kube: () => {
      throw new Error("no cluster in this world");
    },
    clock: process.clock,
    env: {},
  };
}

function siteOf({ method, url }: HttpRequest): string {
  return `${method} ${new URL(url).pathname.replace("/api/v1", "")}`;
}

function withoutConfig<T extends { config: unknown }>({ config: _, ...rest }: T): Omit<T, "config"> {
  return rest;
}

/** What the SDK throws for the same trouble. */
const awsTrouble: ErrorMaker = (code, site) => {
  const names = {
    full: "LimitExceededException",
    busy: "ThrottlingException",
    forbidden: "AccessDeniedException",
  };
  if (code === "unreachable")
    return Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
  if (code === "unclear") return Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
  return Object.assign(new Error(`${site}: ${code}`), {
    name: names[code],
    $metadata: { httpStatusCode: 400 },
  });
};
