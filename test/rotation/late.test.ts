import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import type { Store } from "../../src/stores/store.ts";
import { backup } from "./backup.ts";
import { DAY, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const kinds = (args: readonly unknown[]) =>
  ((args[1] as { events?: { kind: string }[] } | undefined)?.events ?? []).map(({ kind }) => kind);

/** One process is paused for hours, just before a call, and its consumers relapse meanwhile. */
async function relapseBefore(at: (call: string, args: readonly unknown[]) => boolean): Promise<Scenario> {
  const world = await scenario({ key: { retire: { watch: "1s" } } });
  const first = world.current() as string;
  let paused = false;
  const process = world.process({
    before: async (call, args) => {
      if (paused || !(await world.process().kinds()).includes("confirmed") || !at(call, args)) return;
      paused = true;
      await world.clock.sleep(2 * HOUR);
      world.payments.stuck();
      for (const one of world.payments.instances) one.serving = first;
    },
  });
  await process.now({ within: 2 * HOUR + 2 * MINUTE });
  expect(paused).toBe(true);
  return world;
}

describe("R3: evidence counts up to the call that ends a key", () => {
  test.each([1, 2])(
    "a process paused in journal.read, call %i after confirmation, asks again",
    async (nth) => {
      let calls = 0;
      const world = await relapseBefore((call) => {
        if (call === "journal.read") calls += 1;
        return calls === nth;
      });
      expect(world.revoked).toEqual([]);
      expect(world.violations).toEqual([]);
    },
  );

  test("a process paused while it wrote that it will disable a key does not do so", async () => {
    const world = await relapseBefore(
      (call, args) => call === "journal.commit" && kinds(args).includes("disable-sent"),
    );
    expect(world.revoked).toEqual([]);
    world.payments.stuck(false);
    world.payments.settle();
    await world.process().once();
    expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("a sweep made for one old key counts against another that it shows in use", async () => {
    const probe = { http: "http://payments/healthz", resolve: "all" };
    const consumers = [{ name: "payments", probe }];
    const world = await scenario({ key: { consumers, retire: { watch: "0s", keepDisabledFor: "1h" } } });
    await world.process().now({ until: "completed" });
    const second = world.current() as string;
    // The first key is due to go when the second one has just been replaced.
    await world.clock.sleep(HOUR - 10_000);
    world.setPolicy([{ ...world.key, retire: { after: "20s", watch: "0s" } }]);
    let born = false;
    const process = world.process({
      before: async (call, args) => {
        if (born || call !== "journal.commit" || !kinds(args).includes("completed")) return;
        born = true;
        world.payments.scaleUp(second);
        world.payments.stuck();
      },
    });
    await process.now({ within: 10 * MINUTE });
    expect(born).toBe(true);
    expect(world.model.allKeys().map(({ hash }) => hash)).toContain(hashOf(second));
    expect(world.violations).toEqual([]);
  });
});

test("a key that a journal put back as it was has forgotten is not deleted while a consumer serves with it", async () => {
  const world = await scenario();
  await world.process().once();
  let restore: (() => void) | undefined;
  const rotating = world.process({
    before: async (call, args) => {
      if (call === "journal.commit" && kinds(args).includes("created")) restore ??= backup(world);
    },
  });
  await rotating.now();
  const forgotten = world.current() as string;
  world.payments.stuck();
  world.write({ OPENROUTER_API_KEY: world.byHand(), OTHER: "kept" });
  restore?.();
  await world.process().once();
  await world.process().ask("approve");
  await world.clock.sleep(DAY);
  await world.process().once();
  expect(world.model.accepted(forgotten)).toBeDefined();
  expect(world.violations).toEqual([]);
  world.payments.stuck(false);
  world.payments.settle();
  await world.clock.sleep(HOUR);
  await world.process().once();
  expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.current())]);
  expect(world.violations).toEqual([]);
});

test("a store that shows late what was staged, and has room for few versions, is not filled by one rotation", async () => {
  const world = await scenario();
  const store = lagging(world, { lag: 20_000, room: 2 });
  const until = world.clock.now() + 12 * HOUR;
  let outcome: string | undefined = (await world.process({ store }).now({ within: HOUR })).outcome;
  while (outcome === "waiting" && world.clock.now() < until) {
    await world.clock.sleep(10 * MINUTE);
    outcome = (await world.process({ store }).once())[0]?.outcome;
  }
  expect(outcome).toBe("deleted");
  expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.current())]);
});

/** The world's store, whose staged versions are seen only some milliseconds after they were written. */
function lagging(world: Scenario, { lag, room }: { lag: number; room: number }): Store {
  const inner = memoryStore("local", { clock: world.clock, backing: world.backing });
  const written = new Map<string, number>();
  // After some of them the lag ends, as an outage does.
  const seen = (version: string) =>
    written.size > 4 || world.clock.now() - (written.get(version) ?? 0) >= lag;
  return {
    ...inner,
    async observe(ref) {
      const view = await inner.observe(ref);
      return { ...view, staged: view.staged.filter(({ version }) => seen(version)) };
    },
    async stage(ref, request) {
      const made = await inner.stage(ref, request);
      written.set(made.version, world.clock.now());
      return made;
    },
    async promote(ref, version, base) {
      const { staged } = await inner.observe(ref);
      if (staged.length > room) throw new RotationError("full", "no room for another label");
      return inner.promote(ref, version, base);
    },
    async read(ref, version) {
      return seen(version) ? inner.read(ref, version) : undefined;
    },
  };
}
