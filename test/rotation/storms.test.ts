import { expect, test } from "vitest";
import { mortality } from "./mortal.ts";
import {
  DAY,
  FIELD,
  HOUR,
  hashOf,
  MINUTE,
  type Process,
  type Scenario,
  scenario,
  seededRandom,
} from "./scenario.ts";

const WITHIN = { within: 10 * MINUTE };
const FAULTS = ["lost-reply", "reset", "done-500", "truncated", "late", "429", "500:3"];
const OPERATIONS = ["create", "update", "delete", "get", "list", "current"];

type Pick = <T>(list: readonly T[]) => T;

/** What may happen to the world before the next process runs. */
const EVENTS: Record<string, (world: Scenario, pick: Pick) => unknown> = {
  nothing: () => {},
  fault: (world, pick) => world.faults.add(`${pick(OPERATIONS)}:${pick(FAULTS)}`),
  stuck: (world) => world.payments.stuck(),
  unstuck: (world) => world.payments.stuck(false),
  edit: (world) => world.write({ ...world.file(), OTHER: `at ${world.clock.now()}` }),
  foreign: (world) => world.write({ ...world.file(), [FIELD]: world.byHand("by hand") }),
  sleep: (world, pick) => world.clock.sleep(pick([MINUTE, HOUR, DAY])),
  clock: (world, pick) => world.clock.set(world.clock.now() + pick([-2 * HOUR, -10_000, HOUR])),
};

/** What the next process is for. */
const ACTS: Record<string, (process: Process, world: Scenario) => Promise<unknown>> = {
  once: (process) => process.once(WITHIN),
  now: (process) => process.now(WITHIN),
  rollback: (process) => process.ask("rollback", WITHIN),
  approve: (process) => process.ask("approve", WITHIN),
  revoke: (process, world) => {
    world.revoking = true;
    return process.ask("revoke", WITHIN);
  },
};

async function storm(seed: number) {
  const random = seededRandom(`storm ${seed}`);
  const pick: Pick = (list) => list[Math.floor(random.fraction() * list.length)] as (typeof list)[number];
  const world = await scenario({
    seed: `world ${seed}`,
    key: {
      schedule: { every: "1d" },
      confirm: { timeout: pick(["5s", "1m"]), interval: "5s", onTimeout: pick(["hold", "rollback"]) },
      retire: {
        after: pick(["0s", "30s"]),
        watch: pick(["0s", "10s"]),
        keepDisabledFor: pick(["0s", "1h", "2d"]),
      },
    },
  });
  const course: string[] = [];
  for (let step = 0; step < 10; step += 1) {
    const event = pick(Object.keys(EVENTS));
    const act = pick(Object.keys(ACTS));
    await EVENTS[event]?.(world, pick);
    const life = mortality(
      pick([10, 20, 40, 10_000]) + Math.floor(random.fraction() * 10),
      pick(["before", "after"]),
    );
    const process = world.process(life);
    await Promise.race([ACTS[act]?.(process, world), life.died]);
    process.kill();
    course.push(`${event}, ${act}${life.dead ? ` (died at ${life.calls.at(-1)})` : ""}`);
    await world.clock.sleep(MINUTE);
  }
  return { world, course: `storm ${seed}: ${course.join("; ")}` };
}

/** The faults stop, consumers take keys up again, and a person lets go on what is held. */
async function calmDown(world: Scenario): Promise<void> {
  world.calm();
  world.payments.stuck(false);
  for (let pass = 0; pass < 2; pass += 1) {
    await world.process().once();
    await world.clock.sleep(HOUR);
    if ((await world.process().status()).state === "held") await world.process().ask("approve");
  }
  for (let day = 0; day < 4; day += 1) {
    await world.clock.sleep(DAY + HOUR);
    await world.process().once();
  }
}

test("kills, faults, edits and operators at random leave one live key of ours, current and served with", async () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const { world, course } = await storm(seed);
    await calmDown(world);
    const current = hashOf(world.current());
    const ours = world.live().filter((key) => key.name.startsWith("keyturn/"));
    expect(world.violations, course).toEqual([]);
    expect(
      ours.map((key) => key.hash),
      course,
    ).toEqual([current]);
    expect(world.model.accepted(world.current() as string), course).toBeDefined();
    expect(world.payments.serving(), course).toEqual([world.current()]);
    expect(world.backing.get("payments")?.record?.staged, course).toEqual([]);
    const written = [...world.journalState.documents.values(), ...world.journalState.events, ...world.logged];
    expect(written.join(), course).not.toMatch(/sk-or-v1-[0-9a-f]{64}/);
  }
});
