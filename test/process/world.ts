import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { open } from "../../src/main.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";

export const CLI = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));
const KILL_AT = new URL("kill-at.ts", import.meta.url).href;
/** Compiled sources are kept between children: most of what a short command costs is their compilation. */
const COMPILE_CACHE = fileURLToPath(new URL("../../node_modules/.cache/compile", import.meta.url));

/** The shipped policy's key with waits that a test can afford. */
export const POLICY = `
version: 1
providers:
  openrouter:
    type: openrouter
    managementKey: { env: OPENROUTER_MANAGEMENT_KEY }
    baseUrl: \${OPENROUTER_BASE_URL}
    rateLimit: { requestsPerSecond: 1000, concurrency: 8 }
stores:
  local: { type: file, path: "\${KEYTURN_STORE}" }
journal: { type: sqlite, path: "\${KEYTURN_JOURNAL}" }
keys:
  - name: payments-api
    provider: openrouter
    schedule: { every: 30d }
    store: { use: local, secret: payments-api, field: OPENROUTER_API_KEY }
    consumers:
      - { name: payments, probe: { http: "\${PAYMENTS_URL}/healthz" } }
      - { name: billing, probe: { http: "\${BILLING_URL}/healthz" } }
    confirm: { timeout: 5m, interval: 50ms, successThreshold: 2 }
    retire: { watch: 100ms }
`;

export interface World {
  sandbox: Sandbox;
  env: NodeJS.ProcessEnv;
  /** Path of rotation.yaml. */
  policyFile: string;
  /** Stops the sandbox and removes its folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface WorldOptions extends SandboxOptions {
  /** The key's schedule. */
  every?: string;
  /** False: no key has been issued yet. */
  provisioned?: boolean;
  /** Edits the policy after the first key was provisioned. */
  policy?: (text: string) => string;
}

/** For startWorld: the policy with one text in place of another. */
export function withPolicy(before: string, after: string): WorldOptions {
  return { policy: (yaml) => yaml.replace(before, after) };
}

/** For startWorld: billing takes no new key up until `applyKey`. */
export const STUBBORN_BILLING: WorldOptions = { applyDelays: { payments: 20, billing: 3_600_000 } };

/** A consumer of the sandbox begins to use the key that its file has. */
export async function applyKey({ sandbox }: World, consumer: "payments" | "billing"): Promise<void> {
  const url = sandbox.env[consumer === "payments" ? "PAYMENTS_URL" : "BILLING_URL"];
  await fetch(`${url}/-/reload`, { method: "POST" });
}

/** A sandbox whose consumers serve a first key already. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  const { every = "30d", provisioned = true, policy = (yaml) => yaml, ...more } = options;
  const sandbox = await startSandbox({
    requestsPerSecond: 20,
    applyDelays: { payments: 20, billing: 60 },
    ...more,
  });
  const policyFile = join(sandbox.folder, "rotation.yaml");
  await writeFile(policyFile, POLICY);
  const { PATH, HOME } = process.env;
  const world: World = {
    sandbox,
    env: {
      PATH,
      HOME,
      NODE_COMPILE_CACHE: COMPILE_CACHE,
      ...sandbox.env,
      KEYTURN_POLICY: policyFile,
    },
    policyFile,
    [Symbol.asyncDispose]: () => sandbox.close(),
  };
  // Not yet under `every`, by which the first key might be due again before this has ended.
  if (provisioned) await provision(world);
  await writeFile(policyFile, policy(POLICY.replace("every: 30d", `every: ${every}`)));
  return world;
}

/** The first key, by a pass in this process: a child would only cost time. */
async function provision({ policyFile, env }: World): Promise<void> {
  const options = { policyFile, env, logLevel: "silent", color: false, pretty: false };
  const { engine, clock, close } = await open(options);
  try {
    const deadline = clock.now() + 30_000;
    const [result] = await engine.pass({ deadline, start: true, until: "completed" });
    if (result?.outcome !== "completed") throw new Error(`provisioning failed: ${result?.message}`);
  } finally {
    await close();
  }
}

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** With `count`: how many sites of each kind there were. */
  counts: Record<string, number>;
}

export interface RotateOptions {
  /** The command's file in place of the sources'. */
  cli?: string;
  /** A site that kill-at.ts knows. */
  killAt?: string;
  count?: boolean;
  /** Standard output is closed at once. */
  deaf?: boolean;
  /** Standard input; closed when left out. */
  stdin?: string;
  /** Over the world's variables; undefined takes one away. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Called with the child as soon as it runs, for signals. */
  started?: (child: ChildProcess) => void;
}

/** Runs the command; with `killAt`, until it kills itself there. */
export async function rotate(world: World, args: string[], options: RotateOptions = {}): Promise<Ended> {
  const preload = options.killAt !== undefined || options.count ? ["--import", KILL_AT] : [];
  const child: ChildProcess = spawn(process.execPath, [...preload, options.cli ?? CLI, ...args], {
    cwd: options.cwd,
    env: {
      ...world.env,
      ...options.env,
      ...(options.killAt === undefined ? {} : { KILL_AT: options.killAt }),
    },
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => {}).end(options.stdin);
  options.started?.(child);
  if (options.deaf) child.stdout?.destroy();
  const [stdout, stderr, counted] = await Promise.all(
    [child.stdout, child.stderr, child.stdio[3]].map((stream) =>
      stream?.destroyed ? "" : text(stream as Readable),
    ),
  );
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve([child.exitCode, child.signalCode]);
    else child.once("exit", (code, by) => resolve([code, by]));
  });
  return {
    status,
    signal,
    stdout: stdout ?? "",
    stderr: stderr ?? "",
    counts: counted ? (JSON.parse(counted) as Record<string, number>) : {},
  };
}

/** The key that the consumers read. */
export function currentKey({ sandbox }: World): string {
  const secret = JSON.parse(readFileSync(sandbox.secret.file, "utf8")) as Record<string, string>;
  return secret[sandbox.secret.field] ?? "";
}

/** The hash of the key that the consumers read. */
export function currentHash(world: World): string {
  return createHash("sha256").update(currentKey(world)).digest("hex");
}

/** A `rotate worker`, running until it is stopped. */
export function startWorker(world: World) {
  const child = spawn(process.execPath, [CLI, "worker", "--heartbeat", "1s"], {
    env: world.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  const waiting = new Set<() => void>();
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    log += chunk;
    for (const look of waiting) look();
  });
  return {
    child,
    /** Epoch milliseconds. */
    startedAt: Date.now(),
    log: () => log,
    /** Resolves when the log has a match. */
    says: (pattern: RegExp) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (!pattern.test(log)) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    /** SIGTERM; resolves when it has ended. */
    stop: () =>
      new Promise<{ status: number | null }>((resolve) => {
        child.once("close", (status) => resolve({ status }));
        child.kill("SIGTERM");
      }),
  };
}
