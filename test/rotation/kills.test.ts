import { describe, expect, test } from "vitest";
import { mortality } from "./mortal.ts";
import { HOUR, hashOf, type Process, type Scenario, scenario } from "./scenario.ts";

interface Course {
  name: string;
  /** What has happened before the process that is to die. */
  before?(world: Scenario): Promise<void>;
  act(process: Process, world: Scenario): Promise<unknown>;
  options?: Parameters<typeof scenario>[0];
}

const COURSES: Course[] = [
  { name: "rotating", act: (process) => process.now() },
  { name: "provisioning", options: { existing: false }, act: (process) => process.once() },
  {
    name: "going back on a timeout",
    options: { key: { confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" } } },
    before: async (world) => world.payments.stuck(),
    act: (process) => process.now(),
  },
  {
    name: "rolling back after completion",
    options: { key: { retire: { watch: "2s", keepDisabledFor: "1m" } } },
    before: async (world) => {
      await world.process().now({ until: "completed" });
    },
    act: (process) => process.ask("rollback"),
  },
  {
    name: "revoking",
    before: async (world) => {
      await world.process().now();
      world.revoking = true;
    },
    act: (process) => process.ask("revoke"),
  },
];

/** Runs a course in a process that dies at its `at`-th call; tells whether it lived to the end. */
async function die(course: Course, at: number, moment: "before" | "after") {
  const world = await scenario(course.options);
  await course.before?.(world);
  const life = mortality(at, moment);
  const process = world.process(life);
  const ended = await Promise.race([
    course.act(process, world).then(() => "lived"),
    life.died.then(() => "died"),
  ]);
  process.kill();
  return { world, ended, life };
}

describe.each(COURSES)("a process killed while $name", (course) => {
  test.each(["before", "after"] as const)(
    "%s any call leaves a world that the next process brings to a good end",
    async (moment) => {
      let at = 1;
      for (; ; at += 1) {
        const { world, ended, life } = await die(course, at, moment);
        const where = `killed ${moment} call ${at} (${life.calls.at(-1)})`;
        await world.process().once({ within: HOUR });
        await world.clock.sleep(2 * HOUR);
        await world.process().once({ within: HOUR });
        expect(world.violations, where).toEqual([]);
        expect(
          world.live().map((key) => key.hash),
          where,
        ).toEqual([hashOf(world.current())]);
        expect(world.payments.serving(), where).toEqual([world.current()]);
        expect(JSON.parse(world.backing.get("payments")?.text ?? "{}"), where).toMatchObject(
          course.options?.existing === false ? {} : { OTHER: "kept" },
        );
        const status = await world.process().status();
        expect(status.rotation, where).toBeUndefined();
        if (ended === "lived") break;
      }
      expect(at).toBeGreaterThan(20);
    },
  );
});
