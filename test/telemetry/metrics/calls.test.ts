import { describe, expect, it } from "vitest";
import { RotationError } from "../../../src/lib/errors.ts";
import { memoryStore } from "../../../src/stores/memory.ts";
import { meteredProvider, meteredStore } from "../../../src/telemetry/metrics/metered.ts";
import { virtualClock } from "../../providers/virtual-clock.ts";
import { hashOf } from "../../rotation/scenario.ts";
import { series } from "./exposition.ts";
import { measured } from "./measured.ts";

const KEY = { key: "payments-api" };
const OPENROUTER = { provider: "openrouter" };
const none = { called: () => {}, throttled: () => {} };

describe("calls to providers and stores", () => {
  it("counts the calls of a rotation to its store, by operation", async () => {
    const { scrape, rotate } = await measured();
    await rotate();
    const shown = await scrape();
    const calls = (operation: string) =>
      series(shown, "keyturn_store_calls_total", { store: "local", operation, outcome: "ok" });
    expect([calls("stage"), calls("promote"), calls("claim")]).toEqual([1, 1, 1]);
    expect(series(shown, "keyturn_store_call_duration_seconds_count", { operation: "promote" })).toBe(1);
  });

  it("counts a call that fails under the code of its error", async () => {
    const { scrape, metrics, world } = await measured();
    world.model.revokeManagementKey(world.managementKey);
    await metrics.usageRead(60_000);
    const calls = (await scrape()).get("keyturn_provider_calls_total")?.samples;
    expect(calls?.map(({ labels, value }) => [labels.operation, labels.outcome, value])).toEqual([
      ["list", "unauthorized", 1],
    ]);
  });

  it("measures the time that calls wait for their turn", async () => {
    const { scrape, metrics, world } = await measured();
    const throttled = async () =>
      series(await scrape(), "keyturn_provider_throttled_seconds_total", OPENROUTER);
    expect(await throttled()).toBe(0);
    // One call a second is let through.
    for (let i = 0; i < 100; i += 1) world.byHand();
    await metrics.usageRead(60_000);
    world.clock.set(world.clock.now() + 6 * 60_000);
    await metrics.usageRead(60_000);
    expect(await throttled()).toBeGreaterThanOrEqual(1);
  });

  it("leaves out what the service leaves out", () => {
    const clock = virtualClock();
    const store = memoryStore("local", { clock, backing: new Map() });
    const meters = { meter: none, clock };
    expect("check" in meteredStore({ ...store, check: undefined as never }, meters)).toBe(false);
    const provider = { name: "openrouter", list: async () => [], skewMs: () => 5 } as never;
    const metered = meteredProvider(provider, meters);
    expect([metered.skewMs(), "attachments" in metered, "uncarried" in metered]).toEqual([5, false, false]);
  });

  it("passes on what a call throws, as it was thrown", async () => {
    const error = new RotationError("throttled", "later");
    const provider = { name: "openrouter", list: () => Promise.reject(error) } as never;
    const metered = meteredProvider(provider, { meter: none, clock: virtualClock() });
    await expect(metered.list()).rejects.toBe(error);
  });
});

describe("what keys have spent", () => {
  it("is read from the provider's list because somebody scrapes, and shown from the next scrape on", async () => {
    const { scrape, world, metrics, worker } = await measured({ key: { settings: { limit: 150 } } });
    await worker.once();
    const first = await scrape();
    expect(first.get("keyturn_key_usage_credits")?.samples).toEqual([]);
    await metrics.usageRead(60_000);
    const shown = await scrape();
    expect(series(shown, "keyturn_key_usage_credits", KEY)).toBe(0);
    expect(series(shown, "keyturn_key_limit_credits", KEY)).toBe(150);
    expect(series(shown, "keyturn_key_remaining_credits", KEY)).toBe(150);
    expect(series(shown, "keyturn_provider_usage_up", OPENROUTER)).toBe(1);
    expect(hashOf(world.current())).toBe((await worker.status()).current?.hash);
  });

  it("costs one walk in five minutes, however often it is scraped", async () => {
    const { scrape, world, metrics } = await measured();
    const walks = () => world.model.requests.filter(({ method }) => method === "GET").length;
    for (let i = 0; i < 30; i += 1) await scrape();
    await metrics.usageRead(60_000);
    expect(walks()).toBe(1);
    world.clock.set(world.clock.now() + 5 * 60_000);
    await scrape();
    await metrics.usageRead(60_000);
    expect(walks()).toBe(2);
  });

  it("keeps what it knows, and says that it is old, when a walk fails", async () => {
    const { scrape, world, metrics, worker } = await measured();
    await worker.once();
    await metrics.usageRead(60_000);
    const before = series(await scrape(), "keyturn_provider_usage_timestamp_seconds", OPENROUTER);
    world.model.revokeManagementKey(world.managementKey);
    world.clock.set(world.clock.now() + 6 * 60_000);
    await metrics.usageRead(60_000);
    const shown = await scrape();
    expect(series(shown, "keyturn_provider_usage_up", OPENROUTER)).toBe(0);
    expect(series(shown, "keyturn_provider_usage_timestamp_seconds", OPENROUTER)).toBe(before);
    expect(series(shown, "keyturn_key_usage_credits", KEY)).toBe(0);
  });

  it("never holds a scrape up while the provider is silent", async () => {
    let asked = 0;
    const silent = { name: "openrouter", list: () => new Promise(() => (asked += 1)) } as never;
    const { scrape } = await measured({ provider: silent });
    await scrape();
    expect(series(await scrape(), "keyturn_journal_up")).toBe(1);
    expect(asked).toBe(1);
  });
});
