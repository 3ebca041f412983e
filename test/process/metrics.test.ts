import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "vitest";
import { type Family, parseExposition, series } from "../telemetry/metrics/exposition.ts";
import {
  applyKey,
  rotate,
  STUBBORN_BILLING,
  startWorker,
  startWorld,
  type World,
  withPolicy,
} from "./world.ts";

const KEY = { key: "payments-api" };

/** A folder for the textfile collector, and the options that leave metrics in it. */
async function collected(world: World) {
  const folder = join(world.sandbox.folder, "textfile");
  await mkdir(folder);
  const file = join(folder, "keyturn.prom");
  return {
    folder,
    file,
    options: ["--metrics-file", file],
    read: async (): Promise<Map<string, Family>> => parseExposition(await readFile(file, "utf8")),
  };
}

describe.concurrent("--metrics-file", { timeout: 60_000 }, () => {
  test("leaves the metrics of a pass in one file that everybody may read", async ({ expect }) => {
    await using world = await startWorld();
    const { folder, file, options, read } = await collected(world);
    expect((await rotate(world, ["once", ...options])).status).toBe(0);
    const shown = await read();
    expect(series(shown, "keyturn_key_state", { ...KEY, state: "ok" })).toBe(1);
    expect(series(shown, "keyturn_last_pass_success")).toBe(1);
    expect(series(shown, "keyturn_last_pass_timestamp_seconds")).toBeCloseTo(Date.now() / 1_000, -2);
    expect(series(shown, "keyturn_key_usage_credits", KEY)).toBeGreaterThanOrEqual(0);
    expect([...shown.keys()].filter((name) => !name.startsWith("keyturn_"))).toEqual([]);
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    expect(await readdir(folder)).toEqual(["keyturn.prom"]);
  });

  test("replaces the file of the run before, and counts the rotation that it made", async ({ expect }) => {
    await using world = await startWorld();
    const { file, options, read } = await collected(world);
    await writeFile(file, 'keyturn_key_overdue{key="long-gone"} 1\n');
    expect((await rotate(world, ["--now", ...options])).status).toBe(0);
    const shown = await read();
    expect(series(shown, "keyturn_rotations_total", { ...KEY, outcome: "completed" })).toBe(1);
    expect(shown.get("keyturn_key_overdue")?.samples).toEqual([
      { name: "keyturn_key_overdue", labels: { ...KEY, installation: "default" }, value: 0 },
    ]);
  });

  test("has series of its own beside the file of another installation", async ({ expect }) => {
    await using world = await startWorld();
    const { options, read } = await collected(world);
    expect((await rotate(world, ["once", ...options])).status).toBe(0);
    const labels = [...(await read()).values()].flatMap(({ samples }) => samples.map((one) => one.labels));
    expect(new Set(labels.map(({ installation }) => installation))).toEqual(new Set(["default"]));
  });

  test("shows a rotation that is held, whatever the exit status", async ({ expect }) => {
    await using world = await startWorld({
      ...STUBBORN_BILLING,
      ...withPolicy("timeout: 5m", "timeout: 5s"),
    });
    const { options, read } = await collected(world);
    expect((await rotate(world, ["--now", ...options])).status).toBe(1);
    const shown = await read();
    expect(series(shown, "keyturn_key_held_info", { ...KEY, reason: "consumers-unconfirmed" })).toBe(1);
    expect(series(shown, "keyturn_key_waiting_consumers", KEY)).toBe(1);
    await applyKey(world, "billing");
  });

  test("says that the policy is invalid, or the journal cannot be opened", async ({ expect }) => {
    await using world = await startWorld();
    const { options, read } = await collected(world);
    const policy = await readFile(world.policyFile, "utf8");
    await writeFile(world.policyFile, policy.replace("schedule:", "scheduel:"));
    expect((await rotate(world, ["once", ...options])).status).toBe(2);
    const invalid = await read();
    expect(series(invalid, "keyturn_policy_last_load_success")).toBe(0);
    expect(series(invalid, "keyturn_last_pass_success")).toBe(0);
    expect(series(invalid, "keyturn_journal_up")).toBeUndefined();

    await writeFile(world.policyFile, policy);
    await writeFile(world.env.KEYTURN_JOURNAL as string, "no journal at all, though long enough to be one");
    expect((await rotate(world, ["once", ...options])).status).toBe(1);
    const unreadable = await read();
    expect(series(unreadable, "keyturn_policy_last_load_success")).toBe(1);
    expect(series(unreadable, "keyturn_journal_up")).toBe(0);
    expect(series(unreadable, "keyturn_last_pass_success")).toBe(0);
  });

  test("that cannot be written is said, and the exit status stays that of the rotation", async ({
    expect,
  }) => {
    await using world = await startWorld();
    const missing = join(world.sandbox.folder, "nowhere/keyturn.prom");
    const { status, stdout, stderr } = await rotate(world, ["--now", "--metrics-file", missing]);
    expect(stdout).toMatch(/^payments-api: /);
    expect(stderr).toContain(`rotate: the metrics cannot be written to ${missing}`);
    expect(status).toBe(0);
  });

  test("stays as it was after wrong usage and a dry run", async ({ expect }) => {
    await using world = await startWorld();
    const { file, options } = await collected(world);
    await writeFile(file, "before\n");
    expect((await rotate(world, ["--now", "typo", ...options])).status).toBe(2);
    expect((await rotate(world, ["--now", "--dry-run", ...options])).status).toBe(0);
    expect(await readFile(file, "utf8")).toBe("before\n");
  });
});

describe.concurrent("/metrics of rotate worker", { timeout: 60_000 }, () => {
  test("shows keys, passes, calls and the process, without a key or a hash", async ({ expect }) => {
    await using world = await startWorld({
      every: "1s",
      policy: (yaml) => yaml.replace("keys:\n", "server: { port: 0 }\nkeys:\n"),
    });
    const worker = startWorker(world);
    await worker.says(/"port":\d+/);
    const url = `http://127.0.0.1:${/"port":(\d+)/.exec(worker.log())?.[1]}/metrics`;
    const scrape = async () => {
      const answer = await fetch(url);
      expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
      return await answer.text();
    };
    await worker.says(/the rotation is complete/);
    let text = await scrape();
    while (!/^keyturn_rotations_total\{key="payments-api",outcome="completed"\} [1-9]/m.test(text))
      text = await scrape();
    const shown = parseExposition(text);
    expect(series(shown, "keyturn_journal_up")).toBe(1);
    expect(
      series(shown, "keyturn_provider_calls_total", { operation: "create", outcome: "ok" }),
    ).toBeGreaterThan(0);
    expect(
      series(shown, "keyturn_store_calls_total", { operation: "promote", outcome: "ok" }),
    ).toBeGreaterThan(0);
    expect(series(shown, "process_resident_memory_bytes")).toBeGreaterThan(0);
    expect(text).not.toMatch(/sk-or-v1|sha256/);
    const hashes = world.sandbox.model.allKeys().map(({ hash }) => hash.slice(0, 12));
    expect(hashes.length).toBeGreaterThan(0);
    for (const hash of hashes) expect(text).not.toContain(hash);
    expect(await worker.stop()).toEqual({ status: 0 });
  });
});
