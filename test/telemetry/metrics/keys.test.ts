import { describe, expect, it } from "vitest";
import { RotationError } from "../../../src/lib/errors.ts";
import type { KeyPolicy } from "../../../src/policy/schema.ts";
import { createMetrics } from "../../../src/telemetry/metrics/metrics.ts";
import { parseExposition, series } from "./exposition.ts";
import { measured } from "./measured.ts";

const KEY = { key: "payments-api" };
const DAY_S = 86_400;

describe("a key as a scrape shows it", () => {
  it("has age, due and expiry as durations and as instants that agree", async () => {
    const { scrape, rotate, world } = await measured({ key: { settings: { expiresAfter: "45d" } } });
    await rotate();
    const shown = await scrape();
    const now = world.clock.now() / 1_000;
    const value = (name: string) => series(shown, `keyturn_key_${name}_seconds`, KEY) as number;
    expect(value("age")).toBeCloseTo(now - value("created_timestamp"), 3);
    expect(value("due_in")).toBeCloseTo(value("due_timestamp") - now, 3);
    expect(value("due_in")).toBeGreaterThan(20 * DAY_S);
    expect(value("expires_in")).toBeCloseTo(value("expiration_timestamp") - now, 3);
    expect(value("expires_in") / DAY_S).toBeCloseTo(45, 1);
  });

  it("is in one state of all, and in no phase without a rotation", async () => {
    const { scrape, rotate } = await measured();
    await rotate();
    const shown = await scrape();
    const states = shown.get("keyturn_key_state")?.samples ?? [];
    expect(states.filter(({ value }) => value === 1).map(({ labels }) => labels.state)).toEqual(["ok"]);
    expect(states).toHaveLength(8);
    expect(shown.get("keyturn_key_rotation_phase")?.samples.map(({ value }) => value)).toEqual(
      Array(7).fill(0),
    );
  });

  it("counts the consumers of its rotation that have yet to confirm, and says why it is held", async () => {
    const { scrape, rotate, world, worker } = await measured({
      key: {
        consumers: ["payments", "billing", "batch"].map((name) => ({
          name,
          probe: { http: `http://${name}/healthz` },
        })),
        confirm: { timeout: "10m", interval: "5s", onTimeout: "hold" },
      },
    });
    for (const name of ["billing", "batch"]) world.service(name).settle();
    expect(series(await scrape(), "keyturn_key_waiting_consumers", KEY)).toBe(0);
    world.services.get("batch")?.stuck();
    await rotate();
    const shown = await scrape();
    expect((await worker.status()).state).toBe("held");
    expect(series(shown, "keyturn_key_waiting_consumers", KEY)).toBe(1);
    expect(series(shown, "keyturn_key_held_info", { ...KEY, reason: "consumers-unconfirmed" })).toBe(1);
    expect(series(shown, "keyturn_key_rotation_phase", { ...KEY, phase: "promoted" })).toBe(1);
  });

  it("takes every consumer for waited for when nobody has been asked by this process", async () => {
    const { scrape, world } = await measured({
      key: { confirm: { timeout: "10m", interval: "5s", onTimeout: "hold" } },
    });
    world.payments.stuck();
    const stop = new AbortController();
    await world.process().now({
      signal: stop.signal,
      onProgress: (progress) => progress.type === "phase" && progress.phase === "promoted" && stop.abort(),
    });
    expect(series(await scrape(), "keyturn_key_waiting_consumers", KEY)).toBe(1);
  });

  it("is overdue once it was due more than a day ago", async () => {
    const { scrape, rotate, world } = await measured();
    await rotate();
    expect(series(await scrape(), "keyturn_key_overdue", KEY)).toBe(0);
    world.clock.set(world.clock.now() + 32 * DAY_S * 1_000);
    expect(series(await scrape(), "keyturn_key_overdue", KEY)).toBe(1);
  });

  it("is neither overdue nor due while a rotation that has replaced it lets the old key live on", async () => {
    const { scrape, rotate, world, worker } = await measured({ key: { retire: { after: "5d" } } });
    await rotate();
    world.clock.set(world.clock.now() + 31 * DAY_S * 1_000);
    await worker.once();
    world.clock.set(world.clock.now() + 3 * DAY_S * 1_000);
    const shown = await scrape();
    expect(series(shown, "keyturn_key_rotation_phase", { ...KEY, phase: "confirmed" })).toBe(1);
    expect(series(shown, "keyturn_key_overdue", KEY)).toBe(0);
    expect(series(shown, "keyturn_key_due_timestamp_seconds", KEY)).toBeUndefined();
  });

  it("shows the code of the error that holds it up, until it gets by without one", async () => {
    const { scrape, worker, world, metrics } = await measured();
    const code = async () =>
      (await scrape()).get("keyturn_key_last_error_info")?.samples.map(({ labels }) => labels.code);
    world.storeFails = new RotationError("forbidden", "the store refuses us");
    metrics.passed(await worker.once());
    expect(await code()).toEqual(["forbidden"]);
    metrics.passed([{ key: "payments-api", outcome: "waiting", message: "", code: "busy" }]);
    expect(await code()).toEqual(["forbidden"]);
    world.storeFails = undefined;
    metrics.passed(await worker.once());
    expect(await code()).toEqual([]);
  });

  it("has no series left once it has left the policy", async () => {
    const { scrape, rotate, worker, world } = await measured();
    await rotate();
    await scrape();
    world.setPolicy([{ ...world.key, name: "other", store: { use: "local", secret: "other" } }]);
    worker.engine.reload(world.policy);
    const shown = await scrape();
    const keys = [...shown.values()].flatMap(({ samples }) => samples.map(({ labels }) => labels.key));
    expect(new Set(keys)).toEqual(new Set([undefined, "other"]));
  });

  it("counts the rotations and phases that ended, and what none has been is 0", async () => {
    const { scrape, rotate } = await measured();
    const outcomes = async () => {
      const shown = await scrape();
      return ["completed", "reverted", "failed", "superseded"].map((outcome) =>
        series(shown, "keyturn_rotations_total", { ...KEY, outcome }),
      );
    };
    expect(await outcomes()).toEqual([0, 0, 0, 0]);
    const before = await scrape();
    const completed = { outcome: "completed" };
    expect(series(before, "keyturn_rotation_duration_seconds_count", completed)).toBe(0);
    expect(series(before, "keyturn_rotation_phase_duration_seconds_count", { phase: "promoted" })).toBe(0);
    await rotate();
    expect(await outcomes()).toEqual([1, 0, 0, 0]);
    const shown = await scrape();
    for (const phase of ["planned", "staged", "verified", "promoted", "confirmed", "disabled"])
      expect([phase, series(shown, "keyturn_rotation_phase_duration_seconds_count", { phase })]).toEqual([
        phase,
        1,
      ]);
    expect(
      series(shown, "keyturn_rotation_phase_duration_seconds_sum", { phase: "disabled" }),
    ).toBeGreaterThanOrEqual(10);
    expect(series(shown, "keyturn_rotation_duration_seconds_count", { outcome: "completed" })).toBe(1);
  });
});

it("lets others have their turn while a text is made", async () => {
  const { metrics } = await measured();
  let turns = 0;
  let made = false;
  const others = () => {
    turns += 1;
    if (!made) setImmediate(others);
  };
  setImmediate(others);
  await metrics.text();
  made = true;
  expect(turns).toBeGreaterThan(20);
});

describe("a scrape while something is wrong", () => {
  it("answers without the keys, and says so, when the journal cannot be read", async () => {
    let broken = true;
    const { scrape, rotate } = await measured({
      status: (real) => (broken ? Promise.reject(new RotationError("unusable", "damaged")) : real()),
    });
    const shown = await scrape();
    expect(series(shown, "keyturn_journal_up")).toBe(0);
    expect(shown.get("keyturn_key_state")?.samples).toEqual([]);
    expect(series(shown, "keyturn_build_info", { version: "1.2.3" })).toBe(1);
    broken = false;
    await rotate();
    expect(series(await scrape(), "keyturn_journal_up")).toBe(1);
  });

  it("answers within five seconds when the journal hangs, and asks it once for all scrapes", async () => {
    let asked = 0;
    const { scrape, world } = await measured({
      status: () => {
        asked += 1;
        return new Promise(() => {});
      },
    });
    const before = world.clock.now();
    for (let i = 0; i < 3; i += 1) expect(series(await scrape(), "keyturn_journal_up")).toBe(0);
    expect(world.clock.now() - before).toBe(3 * (1_000 + 5_000));
    expect(asked).toBe(1);
  });

  it("reads the journal once for all who scrape at the same time, and within a second of it", async () => {
    let asked = 0;
    const { metrics } = await measured({
      status: (real) => {
        asked += 1;
        return real();
      },
    });
    const texts = await Promise.all(Array.from({ length: 50 }, () => metrics.text()));
    texts.push(await metrics.text());
    expect(new Set(texts).size).toBe(1);
    expect(asked).toBe(1);
  });

  it("tells passes that went through from those that were broken off", async () => {
    const { scrape, metrics, world } = await measured();
    expect(series(await scrape(), "keyturn_last_pass_success")).toBeUndefined();
    metrics.passed([{ key: "payments-api", outcome: "idle", message: "" }], 250);
    const at = world.clock.now() / 1_000;
    metrics.passed(new RotationError("unusable", "the journal is damaged"), 10);
    const shown = await scrape();
    expect(series(shown, "keyturn_last_pass_success")).toBe(0);
    expect(series(shown, "keyturn_last_pass_timestamp_seconds")).toBe(at);
    expect(series(shown, "keyturn_last_pass_duration_seconds")).toBe(0.25);
    const results = shown
      .get("keyturn_passes_total")
      ?.samples.map(({ labels, value }) => [labels.result, value]);
    expect(results).toEqual([
      ["ok", 1],
      ["degraded", 0],
      ["failed", 1],
    ]);
  });
});

describe("hundreds of keys", () => {
  it("are each shown once under every metric, and those that have left are not", async () => {
    const names = Array.from({ length: 250 }, (_, index) => `key-${index}`);
    const { world } = await measured();
    const { policy } = world;
    const [key] = policy.keys;
    let shown = names;
    const metrics = createMetrics({
      version: "1.2.3",
      clock: world.clock,
      process: false,
      keys: {
        policy: () => ({ ...policy, keys: shown.map((name) => ({ ...(key as KeyPolicy), name })) }),
        status: async () =>
          shown.map((name) => ({
            key: name,
            target: `local/${name}`,
            provider: "openrouter",
            state: "new",
            drift: [],
            retiring: [],
          })),
        provider: () => {
          throw new RotationError("unreachable", "nobody is asked");
        },
      },
    });
    const keysOf = async (metric: string) => {
      world.clock.set(world.clock.now() + 1_000);
      const { samples = [] } = parseExposition(await metrics.text()).get(metric) ?? {};
      return samples.map(({ labels }) => labels.key);
    };
    expect(await keysOf("keyturn_key_overdue")).toEqual(names);
    expect(await keysOf("keyturn_key_state")).toHaveLength(250 * 8);
    shown = names.slice(240);
    expect(await keysOf("keyturn_key_overdue")).toEqual(shown);
  });
});
