import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { healthBody } from "../../src/consumer.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { pollDelay } from "../../src/probes/poll.ts";
import { openRouterApi } from "../../src/sandbox/openrouter-api.ts";
import { ProviderModel } from "../../src/sandbox/provider-model.ts";
import { serve } from "../../src/sandbox/serve.ts";
import { type Asked, confirmBound } from "../rotation/confirm-bound.ts";
import { CLI, spread } from "./measure.ts";
import { policyHead } from "./policy-head.ts";
import type { Row, Size } from "./report.ts";

const ASKED: Asked = { interval: 1_000, successThreshold: 3 };
/**
 * When instances apply a new key, in milliseconds after they could have found it: those of every
 * other key while the pauses of the poll still grow, the others once they have grown.
 */
const MOMENTS = [
  { from: 0, to: 1_200 },
  { from: 2_000, to: 4_000 },
] as const;
/** How many keys are rotated at a time, each with moments of its own. */
const KEYS = { small: 2, usual: 12, large: 48 } satisfies Record<Size, number>;

/** A rotation of key number `index`: how old the wait was when the last instance applied the key, and how much later it was confirmed. */
interface Seen {
  index: number;
  age: number;
  latency: number;
}

/**
 * From the instant at which the last of two instances applies the key to `confirmed`, as the log of
 * `rotate now` tells it, to what is asked of it. The poll asks after 100 ms and then less and less
 * often, down to `interval`: the pause that it is at when the key is applied is what it cannot beat,
 * half of it in the median. Moments are random, and all on the clock of this machine.
 */
export async function confirm(runs: number, size: Size): Promise<Row[]> {
  await using world = await slowConsumers(KEYS[size]);
  const seen: Seen[] = [];
  for (let run = 0; run < runs; run += 1) seen.push(...(await world.rotate()));
  const [growing, grown] = MOMENTS.map((_, moment) =>
    seen.filter(({ index }) => index % MOMENTS.length === moment),
  ) as [Seen[], Seen[]];
  const row = (what: string, against: string, among: Seen[], bound: (age: number) => number): Row => ({
    what: `key applied to \`confirmed\`, ${what}`,
    against,
    asked: "≤ 1 ×",
    measured: spread(among.map(({ age, latency }) => latency / bound(age))),
  });
  const own = (age: number) => confirmBound(age, ASKED);
  const twoPauses = `2 × the poll's pause and ${ASKED.successThreshold} sweeps in haste`;
  const literal = 2 * pollDelay(0, ASKED.interval) + ASKED.successThreshold * ASKED.interval;
  return [
    row("while the pauses grow", twoPauses, growing, own),
    row("once they have grown to `interval`", twoPauses, grown, own),
    row("whenever", `2 × the first pause and ${ASKED.successThreshold} × \`interval\``, seen, () => literal),
  ];
}

interface SlowConsumers {
  rotate(): Promise<Seen[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Keys with a consumer of two instances each, which apply a new key at moments of their own, and a provider. */
async function slowConsumers(count: number): Promise<SlowConsumers> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "keyturn-bench-"));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const provider = new ProviderModel({ clock: systemClock, random: systemRandom });
  const providerServer = await serve(openRouterApi(provider));
  starting.defer(providerServer.close);

  const instances = new Map<string, Instance>();
  const consumers = await serve(async (request) => {
    const [, key = "", name = ""] = new URL(request.url).pathname.split("/");
    const there = await readFile(join(folder, "secrets", key), "utf8").catch(() => undefined);
    const instance = instances.get(`${key} ${name}`) ?? new Instance(momentsOf(key));
    instances.set(`${key} ${name}`, instance);
    instance.find(there);
    return Response.json(
      healthBody({ status: "ok", instance: name, keys: { [key]: { serving: instance.serving } } }),
    );
  });
  starting.defer(consumers.close);

  const policy = join(folder, "rotation.yaml");
  await writeFile(policy, policyText(count));
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: folder,
    OPENROUTER_MANAGEMENT_KEY: provider.addManagementKey().reveal(),
    OPENROUTER_BASE_URL: `${providerServer.url}/api/v1`,
    CONSUMERS_URL: consumers.url,
  };
  const rotate = async (): Promise<Seen[]> => {
    const argv = [CLI, "now", "--yes", "--policy", policy, "--log-level", "info"];
    const { stderr } = await promisify(execFile)(process.execPath, argv, { env, maxBuffer: 2 ** 26 });
    const reached = phases(stderr);
    return Array.from({ length: count }, (_, index) => {
      const key = `key-${index}`;
      const applied = Math.max(
        ...["a", "b"].map((name) => instances.get(`${key} ${name}`)?.appliedAt ?? Number.NaN),
      );
      const at = (phase: string) => reached.get(`${key} ${phase}`) ?? Number.NaN;
      return { index, age: applied - at("promoted"), latency: at("confirmed") - applied };
    });
  };
  await rotate();
  const running = starting.move();
  return { rotate, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function momentsOf(key: string): (typeof MOMENTS)[number] {
  return MOMENTS[Number(key.split("-")[1]) % MOMENTS.length] as (typeof MOMENTS)[number];
}

/** Takes up what it finds in the store, the first key at once and each later one after a while. */
class Instance {
  serving: string | undefined;
  appliedAt = Number.NaN;
  private found: string | undefined;
  private readonly moments: { from: number; to: number };

  constructor(moments: { from: number; to: number }) {
    this.moments = moments;
  }

  find(there: string | undefined): void {
    if (there === this.found) return;
    const first = this.found === undefined;
    this.found = there;
    const apply = () => {
      this.serving = there;
      this.appliedAt = Date.now();
    };
    if (first) apply();
    else setTimeout(apply, this.moments.from + Math.random() * (this.moments.to - this.moments.from));
  }
}

/** The instant, in epoch milliseconds, at which each key reached each phase, by `KEY PHASE`, as the log says. */
function phases(log: string): Map<string, number> {
  const reached = new Map<string, number>();
  for (const line of log.split("\n").filter((one) => one.startsWith("{"))) {
    const { key, phase, time } = JSON.parse(line) as Record<string, string>;
    const name = `${key} ${phase}`;
    if (!reached.has(name)) reached.set(name, Date.parse(time ?? ""));
  }
  return reached;
}

function policyText(count: number): string {
  const keys = Array.from(
    { length: count },
    (_, index) => `  - name: key-${index}
    store: { use: local, secret: key-${index} }
    consumers: [{ name: consumer, probe: { http: ["\${CONSUMERS_URL}/key-${index}/a", "\${CONSUMERS_URL}/key-${index}/b"] } }]
`,
  );
  return `${policyHead()}stores:
  local: { type: file, path: secrets }
defaults:
  provider: openrouter
  schedule: none
  confirm: { interval: ${ASKED.interval}ms, successThreshold: ${ASKED.successThreshold} }
  retire: { watch: 0s }
keys:
${keys.join("")}`;
}
