import { type ChildProcess, execFileSync, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { Secret } from "../../src/lib/secret.ts";
import { openStore, put, temporaryFolder } from "./file-bench.ts";

const PLAIN = { secret: "payments" };
const FIELD = { secret: "shared", field: "LLM_KEY" };
const script = (name: string) => join(import.meta.dirname, "children", `${name}.ts`);

async function start(name: string, ...args: string[]): Promise<ChildProcess> {
  const child = fork(script(name), args, { execArgv: ["--no-warnings"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message");
  return child;
}

async function ask(child: ChildProcess, message: object): Promise<unknown> {
  const reply = once(child, "message");
  child.send(message);
  return (await reply)[0];
}

/** What a child process met that did one thing to `payments`; `limit` is the largest file it may write, in 512 or 1024 bytes. */
function run(path: string, args: string[], options: { nobody?: boolean; limit?: number } = {}): unknown {
  const command = [script("put"), path, options.nobody ? "nobody" : "-", ...args];
  const limited = `${options.limit ? `ulimit -f ${options.limit}; ` : ""}exec "$0" --no-warnings "$@"`;
  return JSON.parse(execFileSync("sh", ["-c", limited, process.execPath, ...command], { encoding: "utf8" }));
}

describe("two processes", () => {
  it("that promote from the same base have one winner in every round", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, FIELD, "first");
    const racers = { a: await start("racer", path, "a"), b: await start("racer", path, "b") };

    for (let round = 0; round < 15; round++) {
      const { base } = await store.observe(FIELD);
      const stage = { stage: { base, round } };
      expect(await Promise.all([ask(racers.a, stage), ask(racers.b, stage)])).toEqual(["staged", "staged"]);
      const [a, b] = await Promise.all([ask(racers.a, { go: true }), ask(racers.b, { go: true })]);
      expect([a, b].sort()).toEqual(["conflict", "won"]);
      const winner = `${a === "won" ? "a" : "b"}-${round}`;
      expect((await store.observe(FIELD)).current?.hash).toBe(winner);
      expect(JSON.parse(readFileSync(join(path, "shared.json"), "utf8"))).toEqual({ LLM_KEY: winner });
    }
  });

  it("that stage upon the same base both find their versions there", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    await put(store, FIELD, "first");
    const { base } = await store.observe(FIELD);
    const racers = await Promise.all(["a", "b", "c"].map((name) => start("racer", path, name)));
    await Promise.all(racers.map((racer) => ask(racer, { stage: { base, round: 0 } })));
    const staged = (await store.observe(FIELD)).staged.map(({ rotation }) => rotation);
    expect(staged.sort()).toEqual(["a-0", "b-0", "c-0"]);
  });

  it("wait for one another; a killed one holds nothing up", async () => {
    const path = join(temporaryFolder(), "secrets");
    await put(openStore(path), PLAIN, "k1");
    const lock = join(path, ".keyturn/lock.db");
    const holder = await start("holder", lock);

    const impatient = openStore(path, { clock: { ...systemClock, sleep: async () => {} } });
    await expect(impatient.observe(PLAIN)).rejects.toMatchObject({
      code: "busy",
      message: expect.stringContaining(lock),
      hint: expect.any(String),
    });

    const waiting = openStore(path).observe(PLAIN);
    holder.kill("SIGKILL");
    expect((await waiting).current?.hash).toBe("hash-k1");
  });
});

describe("a disk that takes no more", () => {
  const BIG = 200_000;

  it("changes nothing when a version is staged", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    const { version } = await put(store, PLAIN, "k1");
    const before = await store.observe(PLAIN);
    expect(run(path, ["stage", String(BIG), version], { limit: 64 })).toMatchObject({
      code: "full",
      message: expect.stringContaining("payments"),
      hint: expect.any(String),
    });
    expect(await store.observe(PLAIN)).toEqual(before);
    expect(readdirSync(join(path, ".keyturn/records"))).toEqual(["payments.json"]);
    expect(run(path, ["stage", "100", version])).toBeNull();
  });

  it("changes neither record nor consumer file when a version is promoted", async () => {
    const path = join(temporaryFolder(), "secrets");
    const store = openStore(path);
    const { version: base } = await put(store, PLAIN, "k1");
    const value = new Secret("k".repeat(BIG));
    const { version } = await store.stage(PLAIN, { rotation: "r2", hash: "h2", value, base });
    const before = await store.observe(PLAIN);
    expect(run(path, ["promote", version, base], { limit: 64 })).toMatchObject({ code: "full" });
    expect(await store.observe(PLAIN)).toEqual(before);
    expect(readFileSync(join(path, "payments"), "utf8")).toBe("k1");
    expect(readdirSync(path).sort()).toEqual([".keyturn", "payments"]);
    expect(run(path, ["promote", version, base])).toBeNull();
    expect((await store.observe(PLAIN)).base).toBe(version);
  });
});

describe("a user without rights", () => {
  it("is told so where the store cannot be made, and makes nothing", () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o555);
    expect(run(join(folder, "secrets"), ["claim"], { nobody: true })).toMatchObject({
      code: "forbidden",
      message: expect.stringContaining(folder),
      hint: expect.any(String),
    });
    expect(readdirSync(folder)).toEqual([]);
    chmodSync(folder, 0o755);
  });

  it("is told so, and not that the secret is absent, where the store cannot be entered", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "secrets");
    await put(openStore(path), PLAIN, "k1");
    chmodSync(folder, 0o755);
    chmodSync(path, 0o600);
    expect(run(path, ["observe"], { nobody: true })).toMatchObject({ code: "forbidden" });
    expect(run(path, ["claim"], { nobody: true })).toMatchObject({ code: "forbidden" });
    chmodSync(path, 0o700);
  });
});

it("promotes nothing at all where the consumers' directory cannot be written", async () => {
  const folder = temporaryFolder();
  const path = join(folder, "secrets");
  chmodSync(folder, 0o777);
  expect(run(path, ["claim"], { nobody: true })).toBeNull();
  expect(run(path, ["stage", "10", "absent"], { nobody: true })).toBeNull();
  const before = await openStore(path).observe(PLAIN);
  const version = before.staged[0]?.version ?? "";
  chmodSync(path, 0o500);
  expect(run(path, ["promote", version, "absent"], { nobody: true })).toMatchObject({ code: "forbidden" });
  chmodSync(path, 0o700);
  expect(await openStore(path).observe(PLAIN)).toEqual(before);
  expect(run(path, ["promote", version, "absent"], { nobody: true })).toBeNull();
});

it("says when the store's path leads through a file", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "file"), "");
  await expect(openStore(join(folder, "file/secrets")).observe(PLAIN)).rejects.toMatchObject({
    code: "unusable",
  });
  mkdirSync(join(folder, "dir"));
  await expect(openStore(join(folder, "file")).observe(PLAIN)).rejects.toMatchObject({ code: "unusable" });
});
