import { describe, expect, test } from "vitest";
import type { NoticeRecord } from "../../src/journal/document.ts";
import { DAY, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const ALL = ["planned", "promoted", "confirmed", "completed", "reverted", "held", "failed", "overdue"];
const HOOK = "https://hooks.test/";
const toldOfAll = { notify: [{ http: HOOK, on: ALL }] };

const notices = (world: Scenario): Promise<NoticeRecord[]> => world.process().journal.notices();
const events = async (world: Scenario) => (await notices(world)).map(({ event }) => event);

describe("what a rotation leaves to be told", () => {
  test("each phase that somebody asks for, with what it is about", async () => {
    const world = await scenario({ key: { ...toldOfAll, retire: { watch: "1s", keepDisabledFor: "2d" } } });
    const old = hashOf(world.current());
    await world.process().now();
    const told = await notices(world);
    expect(told.map(({ event }) => event)).toEqual(["planned", "promoted", "confirmed", "completed"]);
    expect(told[0]).toMatchObject({ kind: "rotate", phase: "planned", actor: "test", oldHash: old });
    expect(told[3]).toMatchObject({
      key: "payments-api",
      provider: "openrouter",
      installation: "test",
      phase: "completed",
      oldHash: old,
      newHash: hashOf(world.current()),
      deleteAt: (told[3]?.at ?? 0) + 2 * DAY,
    });
    expect(new Set(told.map(({ rotation }) => rotation)).size).toBe(1);
    expect(new Set(told.map(({ id }) => id)).size).toBe(4);
    for (const { id } of told) expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
  });

  test("nothing where nobody asks, and by default nothing of a rotation that goes well", async () => {
    for (const key of [{}, { notify: [{ http: HOOK }] }]) {
      const world = await scenario({ key });
      await world.process().now();
      expect(await notices(world)).toEqual([]);
    }
  });

  test("a hold once, however long it lasts, and again when it comes again", async () => {
    const world = await scenario({ key: { notify: [{ http: HOOK }], confirm: { timeout: "1m" } } });
    world.payments.stuck();
    await world.process().now({ within: 10 * MINUTE });
    await world.process().once({ within: 3 * HOUR });
    expect(await notices(world)).toMatchObject([
      {
        event: "held",
        reason: "consumers-unconfirmed",
        phase: "promoted",
        message: expect.stringContaining("payments"),
        hint: expect.stringContaining("rotate approve payments-api --without"),
      },
    ]);
    await world.process().ask("approve", { within: 10 * MINUTE });
    await world.process().once({ within: 3 * HOUR });
    const told = await notices(world);
    expect(told.map(({ event }) => event)).toEqual(["held", "held"]);
    expect(told[0]?.id).not.toBe(told[1]?.id);
  });

  test("a rotation that goes back, with when it is tried again", async () => {
    const world = await scenario({
      key: { notify: [{ http: HOOK }], confirm: { timeout: "1m", onTimeout: "rollback" } },
    });
    world.payments.stuck();
    await world.process().now();
    const [told, ...more] = await notices(world);
    expect(more).toEqual([]);
    expect(told).toMatchObject({ event: "reverted", phase: "reverted", retryAt: expect.any(Number) });
    expect(told?.retryAt).toBeGreaterThan(told?.at ?? 0);
  });

  test("a key that cannot be started for a day is overdue, once for each time that it is due", async () => {
    const world = await scenario({ key: { notify: [{ http: HOOK }] } });
    await world.process().once();
    world.payments.instances.forEach((one) => {
      one.down = true;
    });
    await world.clock.sleep(30 * DAY + HOUR);
    await world.process().once();
    expect(await events(world)).toEqual([]);
    await world.clock.sleep(DAY);
    await world.process().once();
    await world.clock.sleep(DAY);
    await world.process().once();
    expect(await notices(world)).toMatchObject([
      {
        event: "overdue",
        reason: "consumer-unhealthy",
        dueAt: expect.any(Number),
        message: expect.stringMatching(/was due at .* consumer payments is not well/),
      },
    ]);
    const history = await world.process().engine.history({});
    expect(history.filter(({ kind }) => kind === "overdue")).toHaveLength(1);
    world.payments.instances.forEach((one) => {
      one.down = false;
    });
    await world.process().once();
    expect((await world.process().status()).state).toBe("ok");
    expect(await events(world)).toEqual(["overdue"]);
  });

  test("a key that is overdue and can be started is rotated, and nobody is alarmed", async () => {
    const world = await scenario({ key: { notify: [{ http: HOOK }] } });
    await world.process().once();
    await world.clock.sleep(35 * DAY);
    await world.process().once();
    expect(await events(world)).toEqual([]);
  });

  test("who is told follows the present policy, also for a rotation in flight", async () => {
    const world = await scenario({ key: { confirm: { timeout: "1m" } } });
    world.payments.stuck();
    await world.process().now({ within: MINUTE / 2 });
    world.setPolicy([{ ...world.key, notify: [{ http: HOOK, on: ["held"] }] }]);
    await world.process().once({ within: HOUR });
    expect(await events(world)).toEqual(["held"]);
  });

  test("a plan tells nobody", async () => {
    const world = await scenario({ key: toldOfAll });
    await world.process().engine.plan(undefined, { requested: "rotate" });
    expect(await notices(world)).toEqual([]);
  });
});
