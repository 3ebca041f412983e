import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { fingerprint } from "../../src/lib/secret.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";

/**
 * The services of docs/examples as they stand, each in its own language, under two rotations in the
 * sandbox: every one must confirm both, and none of their requests may fail. Needs a build, and
 * python3, go and a JDK on PATH. Exit status 0 when all that is true.
 */

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, "../..");
const EXAMPLES = join(ROOT, "docs/examples");
const ROTATIONS = 2;
/** How many requests each service has under way at a time. */
const PARALLEL = 4;

/** `field` as in the policy: the Java service reads a file that is the key alone. */
const KEYS = [
  { name: "payments-api", field: "OPENROUTER_API_KEY", file: "payments-api.json" },
  { name: "search-api", field: undefined, file: "search-api" },
] as const;

interface Service {
  language: string;
  key: (typeof KEYS)[number];
  url: string;
  sent: number;
  failures: string[];
}

await using stack = new AsyncDisposableStack();
const scratch = await mkdtemp(join(tmpdir(), "keyturn-consumers-"));
stack.defer(() => rm(scratch, { recursive: true, force: true }));
const sandbox = await startSandbox({ requestsPerSecond: 1 });
stack.defer(sandbox.close);

await run("go", ["build", "-o", join(scratch, "consumer-go"), join(EXAMPLES, "consumer.go")]);
await run("javac", ["-d", scratch, join(EXAMPLES, "Consumer.java")]);
const [fields, whole] = KEYS;
const services = await Promise.all([
  service("node", fields, [process.execPath, join(EXAMPLES, "consumer.mjs")]),
  service("python", fields, ["python3", "-B", join(EXAMPLES, "consumer.py")]),
  service("go", fields, [join(scratch, "consumer-go")]),
  service("java", whole, ["java", "-cp", scratch, "Consumer"]),
]);

const policy = join(scratch, "rotation.yaml");
await writeFile(policy, stringify(policyFor(services)));
await rotate("once");
const stopping = new AbortController();
const traffic = services.flatMap((one) => Array.from({ length: PARALLEL }, () => send(one, stopping.signal)));
for (let turn = 1; turn <= ROTATIONS; turn += 1) await rotate("--now");
stopping.abort();
await Promise.all(traffic);

let faults = 0;
for (const one of services) {
  const wrong = await faultOf(one);
  if (wrong !== undefined) faults += 1;
  console.log(
    `${one.language.padEnd(6)} ${one.sent} requests, ${one.failures.length} failed, ${ROTATIONS} rotations: ${wrong ?? "ok"}`,
  );
}
process.exitCode = faults === 0 ? 0 : 1;

/** Starts a service and waits until it answers. */
async function service(language: string, key: Service["key"], command: string[]): Promise<Service> {
  const port = await freePort();
  const [program = "", ...words] = command;
  const child = spawn(program, words, {
    cwd: ROOT,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      KEY_FILE: join(sandbox.env.KEYTURN_STORE ?? "", key.file),
      ...(key.field === undefined ? {} : { KEY_FIELD: key.field }),
      KEY_NAME: key.name,
      OPENROUTER_BASE_URL: sandbox.providerUrl,
      PORT: String(port),
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
    },
  });
  stack.defer(async () => {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  const url = `http://127.0.0.1:${port}`;
  for (let waits = 300; ; waits -= 1) {
    if (child.exitCode !== null || waits === 0) throw new Error(`the service in ${language} does not answer`);
    if (await fetch(`${url}/healthz`).catch(() => undefined)) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { language, key, url, sent: 0, failures: [] };
}

/** One request after the other, until told to stop. */
async function send(one: Service, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    one.sent += 1;
    const answer = await fetch(`${one.url}/ask`, { method: "POST" }).catch((error: Error) => error);
    if (answer instanceof Error) one.failures.push(answer.message);
    else if (answer.status !== 200) one.failures.push(`HTTP ${answer.status} ${await answer.text()}`);
    else await answer.text();
  }
}

/** What is wrong with how a service came through; undefined for nothing. */
async function faultOf({ url, key, sent, failures }: Service): Promise<string | undefined> {
  if (failures.length > 0) return `a request failed: ${failures[0]}`;
  if (sent < 10) return "it sent next to nothing";
  const { keys } = (await (await fetch(`${url}/healthz`)).json()) as {
    keys: Record<string, { serving: string }>;
  };
  const text = await readFile(join(sandbox.env.KEYTURN_STORE ?? "", key.file), "utf8");
  const current = key.field === undefined ? text : JSON.parse(text)[key.field];
  return keys[key.name]?.serving === fingerprint(current)
    ? undefined
    : "it does not serve with the current key";
}

async function rotate(...words: string[]): Promise<void> {
  const { stdout } = await run(process.execPath, [join(ROOT, "dist/cli.js"), ...words], {
    env: {
      ...process.env,
      ...sandbox.env,
      KEYTURN_POLICY: policy,
      NO_PROXY: "127.0.0.1",
      no_proxy: "127.0.0.1",
    },
  });
  process.stdout.write(stdout);
}

function policyFor(all: readonly Service[]): object {
  return {
    version: 1,
    providers: {
      openrouter: {
        type: "openrouter",
        managementKey: { env: "OPENROUTER_MANAGEMENT_KEY" },
        baseUrl: sandbox.providerUrl,
      },
    },
    stores: { local: { type: "file", path: sandbox.env.KEYTURN_STORE } },
    journal: { type: "sqlite", path: join(scratch, "journal.db") },
    defaults: {
      provider: "openrouter",
      schedule: { every: "30d" },
      confirm: { timeout: "1m", interval: "250ms" },
      retire: { after: "1s", watch: "1s" },
    },
    keys: KEYS.map(({ name, field }) => ({
      name,
      store: { use: "local", secret: name, field },
      consumers: all
        .filter(({ key }) => key.name === name)
        .map(({ language, url }) => ({ name: language, probe: { http: `${url}/healthz` } })),
    })),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
