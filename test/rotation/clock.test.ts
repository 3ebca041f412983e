import { describe, expect, test } from "vitest";
import {
  DAY,
  HOUR,
  hashOf,
  MINUTE,
  type Process,
  type Scenario,
  type ScenarioOptions,
  scenario,
} from "./scenario.ts";

const YEAR = 365 * DAY;

/** Our clock jumps, and nobody else's: the provider goes by the right time. */
function jump(world: Scenario, ms: number): void {
  world.ahead += ms;
}

/** What was created, disabled and deleted. */
const changesOf = (world: Scenario) => [world.sent("POST").length, ...world.revoked];

/** Passes in new processes, a minute or so apart. */
async function heartbeats(world: Scenario, count: number, every = MINUTE): Promise<void> {
  for (let pass = 0; pass < count; pass += 1) {
    await world.clock.sleep(every);
    await world.process().once({ within: 30_000 });
  }
}

const count = async (world: Scenario, kind: string) =>
  (await world.process().kinds()).filter((one) => one === kind).length;

/** One key lives, it is current and served, and one rotation has brought it there. */
async function expectOneRotation(world: Scenario): Promise<void> {
  expect(await world.process().status()).toMatchObject({ state: "ok", last: { outcome: "completed" } });
  expect(await count(world, "completed")).toBe(1);
  expect(world.model.allKeys().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  expect(world.payments.serving()).toEqual([world.current()]);
  expect(world.violations).toEqual([]);
}

interface Wait {
  name: string;
  options: ScenarioOptions;
  begin?(world: Scenario): void;
  /** Whether the wait has begun. */
  reached(status: Awaited<ReturnType<Process["status"]>>, world: Scenario): boolean;
  /** What ends it, where time alone does not. */
  end?(world: Scenario): void;
}

const phase =
  (name: string): Wait["reached"] =>
  ({ rotation }) =>
    rotation?.phase === name;

const WAITS: Wait[] = [
  {
    name: "for the new key to be accepted",
    options: {},
    begin: ({ model }) => {
      model.knobs.activationDelay = 90_000;
    },
    reached: phase("staged"),
  },
  {
    name: "for the consumers",
    options: { key: { confirm: { timeout: "10m", interval: "5s" } } },
    begin: ({ payments }) => payments.stuck(),
    reached: phase("promoted"),
    end: ({ payments }) => payments.stuck(false),
  },
  {
    name: "for a reload hook to be tried again",
    options: {
      key: {
        consumers: [
          {
            name: "payments",
            probe: { http: "http://payments/healthz" },
            reload: { http: { method: "POST", url: "http://payments/-/reload" } },
          },
        ],
      },
    },
    begin: ({ payments }) => {
      payments.onReload = true;
      payments.reloadFailures = 6;
    },
    reached: ({ rotation }, { payments }) => rotation?.phase === "promoted" && payments.reloads > 2,
  },
  {
    name: "for the overlap",
    options: { key: { retire: { after: "30m", watch: "1s" } } },
    reached: phase("confirmed"),
  },
  {
    name: "for the old key to be quiet",
    options: { key: { retire: { after: "10m", watch: "1s", requireQuiet: true } } },
    reached: phase("confirmed"),
  },
  {
    name: "for the old key to be refused",
    options: {},
    begin: ({ model }) => {
      model.knobs.disableDelay = 120_000;
    },
    reached: ({ rotation }, { model }) =>
      rotation?.phase === "confirmed" && model.key(rotation.oldHash ?? "")?.disabled === true,
  },
  {
    name: "for the watch",
    options: { key: { retire: { watch: "30m" } } },
    reached: phase("disabled"),
  },
  {
    name: "for the soak",
    options: { key: { retire: { watch: "1s", keepDisabledFor: "6h" } } },
    reached: ({ retiring }) => retiring.length > 0,
  },
  {
    name: "for a step to be tried again",
    options: { faults: ["update:500:8"] },
    reached: ({ rotation }) => rotation?.error !== undefined,
  },
  {
    name: "for a failed rotation to be tried again",
    options: { faults: ["create:402"], key: { retry: { after: "30m", max: "1h" } } },
    reached: ({ next }) => next?.why === "retry",
  },
];

const JUMPS: [string, number][] = [
  ["ten minutes ahead", 10 * MINUTE],
  ["five hours ahead", 5 * HOUR],
  ["a year ahead", YEAR],
  ["ten minutes back", -10 * MINUTE],
  ["five hours back", -5 * HOUR],
  ["a year back", -YEAR],
];

describe.each(WAITS)("while it waits $name", ({ options, begin, reached, end }) => {
  async function waiting() {
    const { key, ...rest } = options;
    const world = await scenario({ key: { schedule: "none", ...key }, ...rest });
    begin?.(world);
    await world.process().engine.request("payments-api", { kind: "rotate", actor: "test" });
    for (let pass = 0; !reached(await world.process().status(), world); pass += 1) {
      expect(pass, "the wait is come to").toBeLessThan(100);
      await world.process().once({ within: 2_000 });
      await world.clock.sleep(1_000);
    }
    return world;
  }

  test.each(JUMPS)("our clock is %s, and set right in time", async (_, ms) => {
    const world = await waiting();
    const before = changesOf(world);
    jump(world, ms);
    await heartbeats(world, 5);
    expect(changesOf(world)).toEqual(before);
    jump(world, -ms);
    end?.(world);
    await heartbeats(world, 60, 30 * MINUTE);
    await expectOneRotation(world);
  });

  test.each(JUMPS)("our clock goes %s in the middle of a pass", async (_, ms) => {
    const world = await waiting();
    const pass = world.process().once({ within: 20 * MINUTE });
    await world.clock.sleep(10_000);
    const before = changesOf(world);
    jump(world, ms);
    await world.clock.sleep(2 * MINUTE);
    expect(changesOf(world)).toEqual(before);
    jump(world, -ms);
    end?.(world);
    await pass;
    await heartbeats(world, 60, 30 * MINUTE);
    await expectOneRotation(world);
  });

  test.each(JUMPS)("everybody's clock goes %s for good", async (_, ms) => {
    const world = await waiting();
    world.ahead += ms;
    world.skewMs += ms;
    end?.(world);
    await heartbeats(world, 60, 30 * MINUTE);
    await expectOneRotation(world);
  });
});
