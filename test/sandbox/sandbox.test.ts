import { existsSync } from "node:fs";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { loadPolicy } from "../../src/policy/load.ts";
import { aroundProxy, type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";

const ROOT = join(import.meta.dirname, "../..");

async function start(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ requestsPerSecond: 100, ...options });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

/** Puts a key where the consumers look for one, as a store does. */
async function giveKey({ model, secret }: Sandbox): Promise<string> {
  const { key } = model.create({ name: "by hand" });
  await writeFile(secret.file, JSON.stringify({ [secret.field]: key.reveal() }));
  return key.reveal();
}

async function untilEachSent(sandbox: Sandbox, count: number): Promise<void> {
  await vi.waitFor(
    () => {
      for (const { sent } of sandbox.stats()) expect(sent).toBeGreaterThanOrEqual(count);
    },
    { timeout: 10_000 },
  );
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "keyturn-test-"));
}

it.each([
  ["openrouter", "rotation.yaml"],
  ["arouter", "config/examples/arouter.yaml"],
] as const)(
  "of %s keeps everything that %s names inside, and leaves none of its variables out",
  async (provider, file) => {
    const sandbox = await start({ provider });
    const { policy } = await loadPolicy(join(ROOT, file), sandbox.env);

    expect(policy.providers).toEqual({
      [provider]: expect.objectContaining({ type: provider, baseUrl: sandbox.providerUrl }),
    });
    expect(policy.providers[provider]?.managementKey).toEqual({
      env: Object.keys(sandbox.env).find((name) => name.endsWith("_MANAGEMENT_KEY")),
    });
    expect(policy.stores.local).toMatchObject({ path: sandbox.env.KEYTURN_STORE });
    expect(policy.journal).toEqual({ type: "sqlite", path: sandbox.env.KEYTURN_JOURNAL });
    const [key] = policy.keys;
    const consumers = key?.consumers === "none" ? [] : (key?.consumers ?? []);
    expect(consumers.map(({ name, probe }) => [name, probe.http?.urls[0]])).toEqual([
      ["payments", `${sandbox.env.PAYMENTS_URL}/healthz`],
      ["billing", `${sandbox.env.BILLING_URL}/healthz`],
    ]);
    expect(join(sandbox.env.KEYTURN_STORE ?? "", `${key?.store.secret}.json`)).toBe(sandbox.secret.file);
    expect(key?.store.field).toBe(sandbox.secret.field);
  },
);

it("of ARouter has its prefixes, and its consumers call models where ARouter serves them", async () => {
  const sandbox = await start({ provider: "arouter" });
  expect(sandbox.env.AROUTER_MANAGEMENT_KEY).toMatch(/^lr_mgmt_/);
  const key = await giveKey(sandbox);
  expect(key).toMatch(/^lr_live_/);
  await untilEachSent(sandbox, 3);

  await sandbox.stopTraffic();
  const called = sandbox.model.requests.map(({ method, path, status }) => `${status} ${method} ${path}`);
  expect(new Set(called)).toEqual(new Set(["200 POST /v1/chat/completions"]));
});

it("lets consumers read their key from wherever they are told to", async () => {
  const readers: ((key: string) => void)[] = [];
  const sandbox = await start({
    watch: (onChange) => {
      let key: string | undefined;
      readers.push((next) => {
        key = next;
        onChange(next);
      });
      return { current: () => key, refresh: async () => {}, close: () => {} };
    },
  });
  const { key } = sandbox.model.create({ name: "by hand" });
  for (const read of readers) read(key.reveal());
  await untilEachSent(sandbox, 3);
  expect(sandbox.stats().map(({ failed }) => failed)).toEqual([0, 0]);
});

it("lets both consumers send with the key in the store, and counts what fails", async () => {
  const sandbox = await start({ faults: ["chat:500:3"] });
  expect(sandbox.stats().map(({ name, sent }) => [name, sent])).toEqual([
    ["payments", 0],
    ["billing", 0],
  ]);
  await giveKey(sandbox);
  await untilEachSent(sandbox, 5);

  await sandbox.stopTraffic();
  const stats = sandbox.stats();
  expect(stats.reduce((sum, { failed }) => sum + failed, 0)).toBe(3);
  expect(stats.flatMap(({ failures }) => failures)).toEqual(
    Array(3).fill(expect.stringMatching(/^HTTP 500/)),
  );
  const answered = sandbox.model.requests.filter(({ path }) => path.endsWith("/chat/completions")).length;
  expect(stats.reduce((sum, { sent }) => sum + sent, 0)).toBe(answered);
});

it("still answers for its keys once the traffic has stopped", async () => {
  const sandbox = await start();
  await sandbox.stopTraffic();
  const response = await fetch(`${sandbox.providerUrl}/keys`, {
    headers: { authorization: `Bearer ${sandbox.env.OPENROUTER_MANAGEMENT_KEY}` },
  });
  expect(await response.json()).toEqual({ data: [] });
});

it("removes its temporary folder at the end", async () => {
  const sandbox = await startSandbox();
  expect(existsSync(sandbox.folder)).toBe(true);
  await sandbox.close();
  expect(existsSync(sandbox.folder)).toBe(false);
});

it("keeps a folder that was named", async () => {
  const folder = join(await newFolder(), "kept");
  const sandbox = await startSandbox({ folder });
  await giveKey(sandbox);
  await sandbox.close();
  expect(await readdir(join(folder, "secrets"))).toEqual(["payments-api.json"]);
});

it("refuses a folder that holds anything, as another sandbox's keys mean nothing to it", async () => {
  const folder = await newFolder();
  await writeFile(join(folder, "journal.db"), "");
  const refused = startSandbox({ folder });
  await expect(refused).rejects.toThrow(RotationError);
  await expect(refused).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("not empty"),
  });
});

it("says when the port is taken, and leaves nothing behind", async () => {
  const first = await start();
  const port = Number(new URL(first.providerUrl).port);
  const temporary = await newFolder();
  vi.stubEnv("TMPDIR", temporary);
  onTestFinished(() => void vi.unstubAllEnvs());
  await expect(startSandbox({ port })).rejects.toMatchObject({ code: "busy" });
  expect(await readdir(temporary)).toEqual([]);
});

it("goes around a proxy without forgetting what else goes around it", () => {
  expect(aroundProxy({}).NO_PROXY).toBe("127.0.0.1,localhost");
  expect(aroundProxy({ NO_PROXY: "intern" })).toEqual({
    NO_PROXY: "intern,127.0.0.1,localhost",
    no_proxy: "intern,127.0.0.1,localhost",
  });
  expect(aroundProxy({ NO_PROXY: "intern", no_proxy: "corp" }).no_proxy).toBe("corp,127.0.0.1,localhost");
});
