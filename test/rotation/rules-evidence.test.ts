import { describe, expect, test } from "vitest";
import { DAY, HOUR, hashOf, MINUTE, type ProcessOptions, type Scenario, scenario } from "./scenario.ts";

type Sent = { method: string; body?: string; url: string };

/** Kills the process when it is about to send this to the provider; the call is never made. */
async function dieBefore(world: Scenario, method: string, act: "now" | "once" = "now"): Promise<void> {
  const options: ProcessOptions = {
    before: async (call, [request]) => {
      if (call !== "provider.send" || (request as Sent).method !== method) return;
      process.kill();
      dead.resolve();
      await new Promise(() => {});
    },
  };
  const dead = Promise.withResolvers<void>();
  const process = world.process(options);
  const ended = act === "now" ? process.now() : process.once();
  await Promise.race([ended, dead.promise]);
}

const disables = (world: Scenario) => world.revoked.filter((call) => call.startsWith("disable")).length;
const deletes = (world: Scenario) => world.revoked.filter((call) => call.startsWith("delete")).length;

describe("R3: evidence is fresh or it is none", () => {
  test("a new process asks the consumers again before it disables, whatever the journal says", async () => {
    const world = await scenario();
    const first = world.current() as string;
    await dieBefore(world, "PATCH");
    world.payments.stuck();
    for (const one of world.payments.instances) one.serving = first;
    await world.process().once({ within: 5 * MINUTE });
    expect(disables(world)).toBe(0);
    expect(await world.process().kinds()).toContain("back-to-promoted");
    world.payments.stuck(false);
    await world.process().once();
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("a new process asks the consumers again before it deletes", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
    const first = world.current() as string;
    expect(await world.process().now()).toMatchObject({ outcome: "completed" });
    world.payments.stuck();
    for (const one of world.payments.instances) one.serving = first;
    await world.clock.sleep(2 * HOUR);
    await world.process().once();
    expect(deletes(world)).toBe(0);
    expect((await world.process().status()).retiring).toHaveLength(1);
    world.payments.settle();
    await world.process().once();
    expect(deletes(world)).toBe(1);
    expect(world.violations).toEqual([]);
  });

  test("when current was changed back meanwhile, nothing is disabled and both keys live", async () => {
    const world = await scenario();
    const first = world.current() as string;
    await dieBefore(world, "PATCH");
    world.write({ OTHER: "changed", OPENROUTER_API_KEY: first });
    world.payments.settle();
    const [result] = await world.process().once({ within: 30 * MINUTE });
    expect(result?.outcome).toBe("held");
    expect(disables(world)).toBe(0);
    expect(world.live()).toHaveLength(2);
  });

  test("without consumers the store is read again when the overlap has passed", async () => {
    const world = await scenario({ key: { consumers: "none", retire: { after: "12h", watch: "1s" } } });
    const first = world.current() as string;
    world.services.clear();
    const following = world.process().now({ within: DAY });
    await world.clock.sleep(6 * HOUR);
    world.write({ OTHER: "changed", OPENROUTER_API_KEY: first });
    expect(await following).toMatchObject({ outcome: "held" });
    expect(disables(world)).toBe(0);
  });

  test("a key whose usage still rises is not disabled while requireQuiet is set", async () => {
    const world = await scenario({ key: { retire: { after: "10s", watch: "1s", requireQuiet: true } } });
    const first = hashOf(world.current()) as string;
    const running = world.process().now({ within: 20 * MINUTE });
    for (let count = 0; count < 20; count += 1) {
      world.model.spend(first, 0.1);
      await world.clock.sleep(5_000);
    }
    expect(disables(world)).toBe(0);
    expect(await world.process().kinds()).toContain("quiet");
    expect(await running).toMatchObject({ outcome: "deleted" });
  });
});

describe("R4: confirmed outranks expired", () => {
  test("a process that slept through the timeout looks first, and finds everything confirmed", async () => {
    const world = await scenario({
      key: { confirm: { timeout: "1m", interval: "5s", onTimeout: "rollback" } },
    });
    const first = world.current();
    world.payments.stuck();
    await world.process().now({ within: 30_000 });
    expect((await world.process().status()).rotation?.phase).toBe("promoted");
    world.payments.stuck(false);
    await world.clock.sleep(3 * HOUR);
    world.payments.settle();
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "deleted" });
    expect(world.current()).not.toBe(first);
  });

  test("a paused process does not judge by sweeps from before its pause", async () => {
    const world = await scenario({
      key: { confirm: { timeout: "10m", interval: "5s", onTimeout: "rollback" } },
    });
    world.payments.stuck();
    let reads = 0;
    const process = world.process({
      before: async (call) => {
        if (call !== "journal.read") return;
        reads += 1;
        if (reads !== 60) return;
        world.payments.stuck(false);
        await world.clock.sleep(3 * HOUR);
        world.payments.settle();
      },
    });
    const result = await process.now({ within: 5 * HOUR });
    expect(reads).toBeGreaterThan(60);
    expect(result).toMatchObject({ outcome: "deleted" });
  });

  test("the watch after disabling needs sweeps at its end: a relapse there gives the old key back", async () => {
    const world = await scenario({ key: { retire: { watch: "5m" } } });
    const first = world.current() as string;
    const following = world.process().now({ within: HOUR });
    await world.clock.sleep(2 * MINUTE);
    expect((await world.process().status()).rotation?.phase).toBe("disabled");
    for (const one of world.payments.instances) one.serving = first;
    world.payments.stuck();
    await world.clock.sleep(20_000);
    expect(world.model.key(hashOf(first) as string)?.disabled).toBe(false);
    world.payments.stuck(false);
    expect(await following).toMatchObject({ outcome: "deleted" });
    expect(world.violations).toEqual([]);
  });

  test("a slow probe proves as much as a quick one", async () => {
    const world = await scenario({
      key: { consumers: [{ name: "payments", probe: { http: "http://payments/healthz", timeout: "90s" } }] },
    });
    const process = world.process({
      before: async (call) => {
        if (call === "probe.send") await world.clock.sleep(45_000);
      },
    });
    expect(await process.now({ within: HOUR })).toMatchObject({ outcome: "deleted" });
  });
});
