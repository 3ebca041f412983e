import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pollDelay } from "../../src/probes/poll.ts";
import { confirmBound } from "./confirm-bound.ts";
import { HOUR, MINUTE, scenario } from "./scenario.ts";

const INTERVAL = 10_000;
/** How many pauses are shorter than the interval while they grow. */
const GROWING = Array.from({ length: 20 }, (_, attempt) => pollDelay(attempt, INTERVAL)).filter(
  (pause) => pause < INTERVAL,
).length;

/** A rotation that is waiting for its consumer, which applies nothing yet; with the instants of its sweeps. */
async function waiting({ successThreshold = 3, timeout = "3h" } = {}) {
  const world = await scenario({
    key: {
      confirm: { timeout, interval: `${INTERVAL}ms`, successThreshold },
      retire: { watch: "0s" },
    },
  });
  const [instance] = world.payments.instances;
  if (instance === undefined) throw new Error("no instance");
  const asked: number[] = [];
  const answer = world.payments.answer.bind(world.payments);
  let before = () => {};
  world.payments.answer = (request) => {
    asked.push(world.clock.now());
    before();
    return answer(request);
  };
  world.payments.stuck();
  const process = world.process();
  const leaving = new AbortController();
  const following = process.now({ within: 2 * HOUR, signal: leaving.signal });
  const at = async (kind: string) =>
    (await process.engine.history({})).find((event) => event.kind === kind)?.at as number;
  while (world.live().length < 2 || (await at("promoted")) === undefined) await world.clock.sleep(1);
  return {
    world,
    process,
    instance,
    asked,
    following,
    at,
    beforeAnswers: (then: () => void) => {
      before = then;
    },
    leave: async () => {
      leaving.abort();
      await following;
    },
  };
}

/** The pauses between the sweeps since an instant at which one was made. */
function gapsSince(since: number, instants: readonly number[]): number[] {
  const later = instants.filter((at) => at > since);
  return later.map((at, index) => at - (later[index - 1] ?? since));
}

describe("how often consumers are asked", () => {
  test("an hour of waiting asks no more often than the interval once the pauses have grown to it", async () => {
    const { world, asked, at, leave } = await waiting();
    const since = await at("promoted");
    await world.clock.sleep(HOUR);
    const grown = gapsSince(since, asked).slice(GROWING);
    expect(grown.length).toBeGreaterThan(HOUR / INTERVAL - 10);
    expect(grown.every((gap) => gap >= INTERVAL)).toBe(true);
    await leave();
  });

  test("a held rotation, looked at by pass after pass of a worker, no more often either", async () => {
    const { world, process, asked, following, at } = await waiting({ timeout: "1m" });
    expect(await following).toMatchObject({ outcome: "held" });
    const since = await at("hold");
    const leaving = new AbortController();
    const passes: Promise<unknown>[] = [];
    for (let pass = 0; pass < 20 * 60; pass += 1) {
      passes.push(
        process.once({ deadline: Number.POSITIVE_INFINITY, horizon: MINUTE, signal: leaving.signal }),
      );
      await world.clock.sleep(1_000);
    }
    const gaps = gapsSince(since, asked);
    expect(gaps.length).toBeGreaterThan((20 * MINUTE) / INTERVAL - 10);
    expect(gaps.slice(1).every((gap) => gap >= INTERVAL)).toBe(true);
    world.payments.stuck(false);
    world.payments.settle();
    await world.clock.sleep(2 * INTERVAL);
    leaving.abort();
    await Promise.all(passes);
    expect(await process.kinds()).toContain("completed");
  });

  test("a consumer that wavers is asked in haste once, and then no more often than the interval", async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.boolean()), async (steady) => {
        const { world, instance, asked, at, beforeAnswers, leave } = await waiting({ successThreshold: 100 });
        const since = await at("promoted");
        const old = instance.serving as string;
        world.payments.stuck(false);
        world.payments.settle();
        beforeAnswers(() => {
          instance.holding = steady.next().value ? [] : [old];
        });
        await world.clock.sleep(20 * MINUTE);
        const short = gapsSince(since, asked).filter((gap) => gap < INTERVAL);
        expect(short.length).toBeLessThanOrEqual(2 * GROWING);
        await leave();
      }),
      { numRuns: 5 },
    );
  });
});

test("confirmed comes within two pauses and the sweeps asked for, whenever the last instance applies the key", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 20 * MINUTE }), async (age) => {
      const { world, following, at } = await waiting();
      const since = await at("promoted");
      await world.clock.sleep(since + age - world.clock.now());
      world.payments.stuck(false);
      world.payments.settle();
      const applied = world.clock.now();
      expect(await following).toMatchObject({ outcome: "deleted" });
      expect((await at("confirmed")) - applied).toBeLessThanOrEqual(
        confirmBound(age, { interval: INTERVAL, successThreshold: 3 }),
      );
    }),
    { numRuns: 15 },
  );
});
