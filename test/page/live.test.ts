import { describe, expect, test } from "vitest";
import type { PageChange } from "../../src/telemetry/event-streams.ts";
import { consumerOf, PageWorld, rotating, settled, statusOf } from "./support.ts";

function watching(world: PageWorld) {
  const changes: PageChange[] = [];
  const stop = world.page.watch((change) => changes.push(change));
  return { changes, stop };
}

describe("what keeps the page live", () => {
  test("reads the journal once for all who ask within a second", async () => {
    const world = new PageWorld([statusOf("a")]);
    await Promise.all([world.show("/"), world.show("/?q=a"), world.show("/keys/a")]);
    await world.show("/");
    expect(world.readings).toBe(1);
    await world.pass(1_000);
    await world.show("/");
    expect(world.readings).toBe(2);
  });

  test("reads nothing while nobody watches, and stops when the last one leaves", async () => {
    const world = new PageWorld([statusOf("a")]);
    await world.pass(60_000);
    expect(world.readings).toBe(0);
    const [one, other] = [watching(world), watching(world)];
    await settled();
    expect(world.readings).toBe(1);
    one.stop();
    other.stop();
    for (let n = 0; n < 10; n += 1) await world.pass(10_000);
    expect(world.readings).toBe(1);
  });

  test("reads no more often for watchers who come and go", async () => {
    const world = new PageWorld([statusOf("a")]);
    for (let n = 0; n < 20; n += 1) {
      const { stop } = watching(world);
      await settled();
      stop();
      await world.pass(50);
    }
    expect(world.readings).toBe(1);
    const { changes } = watching(world);
    world.keys = [rotating("a")];
    await world.pass(1_000);
    expect(changes).toEqual([{ version: world.page.version, keys: ["a"] }]);
  });

  test("tells every watcher which keys have changed, within seconds, whoever changed them", async () => {
    const world = new PageWorld([statusOf("a"), statusOf("b")]);
    const [one, other] = [watching(world), watching(world)];
    await settled();
    const before = world.page.version;
    world.keys = [statusOf("a"), rotating("b")];
    await world.pass(1_000);
    await world.pass(4_000);
    expect(one.changes.slice(1)).toEqual([{ version: world.page.version, keys: ["b"] }]);
    expect(other.changes).toEqual(one.changes);
    expect(world.page.version).not.toBe(before);
  });

  test("tells what a pass of this process does within a second, and not more often", async () => {
    const world = new PageWorld([rotating("a")]);
    const { changes } = watching(world);
    await settled();
    const sweep = (streak: number) =>
      world.page.onProgress({
        type: "consumers",
        key: "a",
        rotation: "b54b08b2e6647f2b",
        consumers: [consumerOf("c", { streak })],
      });
    for (const streak of [0, 1, 2]) sweep(streak);
    await settled();
    expect(changes).toHaveLength(1);
    await world.pass(1_000);
    expect(changes).toHaveLength(2);
    expect(world.readings).toBe(2);
    sweep(2);
    await world.pass(1_000);
    expect(changes).toHaveLength(2);
    expect(world.readings).toBe(2);
  });

  test("a change that comes while the journal is read is told by the next reading", async () => {
    const world = new PageWorld([rotating("a")]);
    const { changes } = watching(world);
    world.page.onProgress({
      type: "waiting",
      key: "a",
      rotation: "b54b08b2e6647f2b",
      why: "the old key to stay quiet",
    });
    await settled();
    await world.pass(1_000);
    expect(await world.show()).toContain("the old key to stay quiet");
    expect(changes.at(-1)?.version).toBe(world.page.version);
  });

  test("a journal that fails is told once, and so is that it is well again", async () => {
    const world = new PageWorld([statusOf("a")]);
    const { changes } = watching(world);
    await settled();
    world.fails = new Error("down");
    for (let n = 0; n < 4; n += 1) await world.pass(5_000);
    expect(changes).toHaveLength(2);
    expect(await world.show()).toContain("The journal cannot be read");
    world.fails = undefined;
    for (let n = 0; n < 4; n += 1) await world.pass(5_000);
    expect(changes).toHaveLength(3);
  });

  test("names no more than a hundred changed keys", async () => {
    const world = new PageWorld(Array.from({ length: 200 }, (_, n) => statusOf(`k${n}`)));
    const { changes } = watching(world);
    await settled();
    world.keys = world.keys.map((key) => ({ ...key, state: "overdue" as const }));
    await world.pass(1_000);
    await world.pass(4_000);
    expect(changes.at(-1)).toEqual({ version: world.page.version });
  });
});
