import { describe, expect, test } from "vitest";
import { HOUR, type Hook, hashOf, MINUTE, scenario } from "./scenario.ts";

/** A call that stalls, and the way to let it go. */
function stall(call: string, nth = 1): { before: Hook; reached: Promise<void>; go: () => void } {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let seen = 0;
  return {
    reached: reached.promise,
    go: gate.resolve,
    before: async (name) => {
      if (name !== call) return;
      seen += 1;
      if (seen !== nth) return;
      reached.resolve();
      await gate.promise;
    },
  };
}

const ROLLBACK = { confirm: { timeout: "1m", interval: "5s", onTimeout: "rollback" } };

describe("R1: a version is current at most once", () => {
  test("a promotion that stalls until its rotation was given up fails, and its key never becomes current", async () => {
    const world = await scenario({ key: { retry: { after: "7d", max: "7d" } } });
    const first = world.current();
    const promoting = stall("store.promote");
    const sleeper = world.process({ before: promoting.before });
    const asleep = sleeper.now();
    await promoting.reached;
    await world.clock.sleep(10 * MINUTE);
    sleeper.kill();
    const given = world.live().find((key) => key.hash !== hashOf(first))?.hash;
    await world.process().ask("rollback");
    expect(world.live().map((key) => key.hash)).not.toContain(given);
    promoting.go();
    await Promise.race([asleep.catch(() => {}), world.clock.sleep(MINUTE)]);
    expect(hashOf(world.current())).not.toBe(given);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("a given-up key that was never promoted is deleted only after current was written anew", async () => {
    const world = await scenario({ key: { settings: { limit: 7 } } });
    world.model.knobs.activationDelay = HOUR;
    const result = await world.process().now();
    expect(result.outcome).toBe("failed");
    const kinds = await world.process().kinds();
    expect(kinds).toContain("fenced");
    expect(kinds.indexOf("fenced")).toBeLessThan(kinds.indexOf("delete-sent"));
    expect(world.live()).toHaveLength(1);
    expect(world.file()).toMatchObject({ OTHER: "kept" });
  });

  test("going back writes the old value as a new version", async () => {
    const world = await scenario({ key: ROLLBACK });
    const first = world.current();
    await world.process().once();
    const before = world.backing.get("payments")?.record?.current?.id;
    world.payments.stuck();
    expect(await world.process().now()).toMatchObject({ outcome: "reverted" });
    expect(world.current()).toBe(first);
    expect(world.backing.get("payments")?.record?.current?.id).not.toBe(before);
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(first)]);
    expect(world.violations).toEqual([]);
  });

  test("a person's edit of another field between staging and promotion is kept, and the key staged again", async () => {
    const world = await scenario();
    let edited = false;
    const process = world.process({
      before: async (call) => {
        if (call !== "store.promote" || edited) return;
        edited = true;
        world.write({ ...world.file(), OTHER: "edited" });
      },
    });
    expect(await process.now()).toMatchObject({ outcome: "deleted" });
    expect(await process.kinds()).toContain("restaged");
    expect(world.file()).toMatchObject({ OTHER: "edited", OPENROUTER_API_KEY: world.current() });
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });
});

describe("R2: what may be disabled never becomes current", () => {
  test("a key whose disabling was never acknowledged is not gone back to: rollback issues a new one", async () => {
    const world = await scenario();
    const first = world.current();
    const life = world.process({
      before: async (call, [request]) => {
        if (call === "provider.send" && (request as { method: string }).method === "PATCH") life.kill();
        if (call === "provider.send" && (request as { method: string }).method === "PATCH")
          await new Promise(() => {});
      },
    });
    void life.now();
    await world.clock.sleep(MINUTE);
    expect((await world.process().kinds()).at(-1)).toBe("disable-sent");
    expect(await world.process().ask("rollback")).toMatchObject({ outcome: "deleted" });
    const now = world.live();
    expect(now.map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.current()).not.toBe(first);
    expect(now).not.toContainEqual(expect.objectContaining({ hash: hashOf(first) }));
    expect(world.violations).toEqual([]);
  });

  test("enabling a key again does not forget that a disable of it may still land", async () => {
    const world = await scenario({ key: { retire: { after: "1s", watch: "10s" }, ...ROLLBACK } });
    const first = world.current();
    const life = world.process({
      before: async (call, [request]) => {
        const { method, body = "" } = (request ?? {}) as { method?: string; body?: string };
        if (call !== "provider.send" || method !== "PATCH" || !body.includes("true")) return;
        life.kill();
        await new Promise(() => {});
      },
    });
    void life.now();
    await world.clock.sleep(MINUTE);
    for (const one of world.payments.instances) one.serving = first;
    world.payments.stuck();
    const [result] = await world.process().once();
    expect(await world.process().kinds()).toContain("enabled");
    expect(result).toMatchObject({ outcome: "held" });
    expect(world.current()).not.toBe(first);
    expect(await world.process().kinds()).not.toContain("staged-back");
  });

  test("the current key, when it is found disabled by us, is enabled before anything else", async () => {
    const world = await scenario({ key: { retire: { watch: "10s", keepDisabledFor: "7d" } } });
    const first = world.current();
    await world.process().now({ until: "completed" });
    world.write({ OTHER: "back by hand", OPENROUTER_API_KEY: first });
    await world.clock.sleep(8 * 24 * HOUR);
    await world.process().once();
    expect(world.model.key(hashOf(first) ?? "")).toMatchObject({ disabled: false });
    expect(world.violations).toEqual([]);
  });

  test("rollback after completion enables the old key, sees it accepted, and only then makes it current", async () => {
    const world = await scenario({ key: { retire: { watch: "10s", keepDisabledFor: "7d" } } });
    const first = world.current();
    await world.process().now({ until: "completed" });
    world.model.knobs.enableDelay = 20_000;
    const process = world.process();
    expect(await process.ask("rollback", { until: "completed" })).toMatchObject({ outcome: "completed" });
    expect(world.current()).toBe(first);
    expect(world.payments.serving()).toEqual([first]);
    expect(world.violations).toEqual([]);
  });
});
