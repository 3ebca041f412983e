import { describe, expect, test } from "vitest";
import { HOUR, hashOf, MINUTE, type Process, type Scenario, scenario } from "./scenario.ts";

interface Course {
  name: string;
  /** What another process does while the first is paused. */
  meanwhile(process: Process, world: Scenario): Promise<unknown>;
  options?: Parameters<typeof scenario>[0];
  before?(world: Scenario): void;
}

const COURSES: Course[] = [
  { name: "carries on", meanwhile: (process) => process.once() },
  { name: "rolls back", meanwhile: (process) => process.ask("rollback") },
  {
    name: "rolls back and rotates",
    meanwhile: async (process) => [await process.ask("rollback"), await process.now()],
  },
  {
    name: "revokes",
    meanwhile: (process, world) => {
      world.revoking = true;
      return process.ask("revoke");
    },
  },
  {
    name: "goes back on a timeout",
    options: {
      key: {
        confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" },
        retry: { after: "7d", max: "7d" },
      },
    },
    before: (world) => world.payments.stuck(),
    meanwhile: (process) => process.once(),
  },
];

const CHANGES = (call: string, args: readonly unknown[]) =>
  /^store\.(stage|promote|fence|drop|claim)$/.test(call) ||
  (call === "provider.send" && (args[0] as { method: string }).method !== "GET");

/** Runs a rotation in a process that is paused before its `at`-th change of the world, until another has finished. */
async function pauseAt(course: Course, at: number) {
  const world = await scenario(course.options);
  course.before?.(world);
  const reached = Promise.withResolvers<void>();
  const wake = Promise.withResolvers<void>();
  let changes = 0;
  let where = "";
  const sleeper = world.process({
    before: async (call, args) => {
      if (!CHANGES(call, args)) return;
      changes += 1;
      if (changes !== at) return;
      where = `${call} ${(args[0] as { method?: string }).method ?? ""}`;
      reached.resolve();
      await wake.promise;
    },
  });
  const running = sleeper.now();
  const paused = await Promise.race([running.then(() => false), reached.promise.then(() => true)]);
  if (!paused) return { world, paused, where };
  await world.clock.sleep(5 * MINUTE);
  await course.meanwhile(world.process(), world);
  wake.resolve();
  await running;
  return { world, paused, where };
}

describe.each(COURSES)("a process paused past its lease, while another $name", (course) => {
  test("does no harm when its call lands late, whichever it is", async () => {
    let at = 1;
    for (; ; at += 1) {
      const { world, paused, where } = await pauseAt(course, at);
      if (!paused) break;
      const told = `paused before change ${at} (${where})`;
      await world.clock.sleep(2 * HOUR);
      await world.process().once();
      const current = world.current() as string;
      expect(world.model.accepted(current), `${told}: current is accepted`).toBeDefined();
      world.revoking = false;
      world.payments.stuck(false);
      await world.process().now();
      await world.process().once();
      expect(world.violations, told).toEqual([]);
      expect(
        world.live().map((key) => key.hash),
        told,
      ).toEqual([hashOf(world.current())]);
      expect(world.model.accepted(world.current() as string), told).toBeDefined();
      expect(world.file(), told).toMatchObject({ OTHER: "kept" });
      expect(world.backing.get("payments")?.record?.staged, told).toEqual([]);
    }
    expect(at).toBeGreaterThan(5);
  });
});
