import type { ChildProcess } from "node:child_process";
import { EventEmitter } from "node:events";
import { memoryJournal } from "../../src/journal/memory.ts";
import type { HttpResponse, HttpSend } from "../../src/lib/http.ts";
import type { DirectRequest } from "../../src/lib/http-direct.ts";
import { Secret } from "../../src/lib/secret.ts";
import { createProbe } from "../../src/probes/create-probe.ts";
import type { ProbeParts, Run } from "../../src/probes/parts.ts";
import { createReload } from "../../src/probes/reload.ts";
import { openRouterProvider } from "../../src/providers/openrouter/provider.ts";
import { createEngine } from "../../src/rotation/engine.ts";
import type { Connections } from "../../src/rotation/parts.ts";
import { Process } from "../rotation/scenario.ts";
import { requireNoOutage } from "./observer.ts";
import { quickRandom } from "./quick-random.ts";
import { type Sites, sitesOf, type Watch } from "./sites.ts";
import { type CrashWorld, MANAGEMENT_KEY } from "./world.ts";

/** A process of keyturn on the world, whose every call to anything outside is a site. */
export function newProcess(
  world: CrashWorld,
  watch: Watch,
  death?: { at: number; died(): void },
): { process: Process; sites: Sites } {
  const { clock } = world;
  const sites = sitesOf(clock, watch, death);
  // Of the world alone, so that equal worlds have equal futures; and never the same twice.
  const random = quickRandom(idsIn(world));
  const holder = quickRandom(
    `holder ${Math.max(0, ...[...world.journal.leases.values()].map(({ epoch }) => epoch))}`,
  );
  const journal = memoryJournal({ clock, random: holder }, world.journal);
  const engine = createEngine(world.policy, {
    journal: sites.of(journal, "journal"),
    clock,
    random,
    connect: connections(world, sites, random),
    log: (level, fields, message) => world.logged.push(JSON.stringify({ level, ...fields, message })),
  });
  return { process: new Process(engine, journal, clock), sites };
}

/** Whatever has been named by drawing at random. */
function idsIn({ journal }: CrashWorld): string {
  const documents = [...journal.documents.values()].map((text) => JSON.parse(text));
  return JSON.stringify([
    documents.map(({ rotation, keys, intents }) => [
      rotation?.id,
      Object.values(keys as Record<string, { last?: { rotation: string } }>).map(
        ({ last }) => last?.rotation,
      ),
      Object.keys(intents),
    ]),
    [...journal.requests.keys()],
  ]);
}

function connections(world: CrashWorld, sites: Sites, random: ReturnType<typeof quickRandom>): Connections {
  const { clock } = world;
  const send: HttpSend = async (request) => {
    if (world.course.latency) await clock.sleep(world.course.latency);
    const path = new URL(request.url).pathname.replace(/[0-9a-f]{64}/, "{hash}");
    return sites.around(`provider ${request.method} ${path}`, () => {
      requireNoOutage(world, request);
      return world.sendToProvider(request);
    });
  };
  const provider = openRouterProvider(
    "openrouter",
    {
      baseUrl: "http://openrouter.test/api/v1",
      managementKey: { env: "MANAGEMENT" },
      headers: {},
      rateLimit: { requestsPerSecond: 1_000, concurrency: 8 },
    },
    { send, clock, random, readSecret: async () => new Secret(MANAGEMENT_KEY) },
  );
  const store = world.place.open(random, sites);
  const probeParts: ProbeParts = {
    send: (request) =>
      sites.around(`${request.method === "POST" ? "reload" : "probe"} ${request.url}`, async () =>
        answered(world, request),
      ),
    run: commands(world, sites),
    readSecret: async () => new Secret(MANAGEMENT_KEY),
    readFile: async () => "",
    lookup: async () => [],
    kube: () => {
      throw new Error("no cluster in this world");
    },
    clock,
    env: {},
  };
  const made = new Map<object, ReturnType<typeof probesAndReloads>>();
  const of = ({ key }: { key: { consumers: ConsumersPolicy } }) => {
    const found = made.get(key.consumers as object) ?? probesAndReloads(key.consumers, probeParts);
    made.set(key.consumers as object, found);
    return found;
  };
  return {
    provider: () => provider,
    store: () => store,
    probes: (snapshot) => of(snapshot).probes,
    reloads: (snapshot) => of(snapshot).reloads,
  };
}

type ConsumersPolicy = Parameters<Connections["probes"]>[0]["key"]["consumers"];

function probesAndReloads(consumers: ConsumersPolicy, parts: ProbeParts) {
  const listed = consumers === "none" ? [] : consumers;
  return {
    probes: listed.map((one) => createProbe(one, parts)),
    reloads: listed.map((one) => createReload(one, parts)).filter((one) => one !== undefined),
  };
}

function answered(world: CrashWorld, request: DirectRequest): HttpResponse {
  const { hostname } = new URL(request.url);
  const [payments, billing] = world.consumers;
  return (hostname.startsWith("payments") ? payments : billing).answer(request);
}

/** The check command of the second consumer, as a child process that has no pid. */
function commands(world: CrashWorld, sites: Sites): Run {
  return (file, [fingerprint = ""]) => {
    const child = new EventEmitter();
    const exit = sites.around(`probe ${file}`, async () => (world.consumers[1].check(fingerprint) ? 0 : 1));
    void exit.then((code) => {
      child.emit("exit", code, null);
      child.emit("close", code, null);
    });
    return child as ChildProcess;
  };
}
