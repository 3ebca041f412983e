import { describe, expect, test } from "vitest";
import { DAY, HOUR, type Hook, hashOf, type Process, type Scenario } from "./scenario.ts";
import { inAws, type MakeWorld, PLACES } from "./store-worlds.ts";

/** The journal's file as it stands now; called, it is put back, with no process running. */
function backup({ journalState }: Scenario): () => void {
  const { documents, hashes, requests, leases } = journalState;
  const kept = [documents, hashes, requests, leases].map((map) => ({
    map: map as Map<string, unknown>,
    entries: [...map],
  }));
  const events = [...journalState.events];
  return () => {
    for (const { map, entries } of kept) {
      map.clear();
      for (const [key, value] of entries) map.set(key, value);
    }
    journalState.events.splice(0, Number.POSITIVE_INFINITY, ...events);
    journalState.living.clear();
  };
}

interface Course {
  name: string;
  /** Runs in processes whose commits are counted. */
  act(start: () => Process, world: Scenario): Promise<unknown>;
}

/** At every commit where time allows: KEYTURN_TEST_KILLS=all. */
const thorough = process.env.KEYTURN_TEST_KILLS === "all";

const SOAK = { retire: { after: "1s", watch: "1s", keepDisabledFor: "2d" } };

const COURSES: Course[] = [
  {
    name: "that is older by several rotations",
    act: async (start, world) => {
      for (let count = 0; count < 3; count += 1) {
        await start().now({ until: "completed" });
        await world.clock.sleep(DAY);
      }
    },
  },
  {
    name: "from before, or amid, a revoke",
    act: async (start, world) => {
      await start().now({ until: "completed" });
      world.revoking = true;
      await start().ask("revoke");
      world.revoking = false;
    },
  },
  {
    name: "from before, or amid, a rollback",
    act: async (start) => {
      await start().now({ until: "completed" });
      await start().ask("rollback");
    },
  },
];

/** What a person does next. */
const AFTERWARDS: [string, (process: Process) => Promise<unknown>][] = [
  ["nobody does anything", (process) => process.once()],
  ["a rollback is asked for", (process) => process.ask("rollback")],
  ["a revoke is asked for", (process) => process.ask("revoke")],
];

/** Runs a course; from before its `at`-th commit there is a backup, unless it has fewer. */
async function run(course: Course, make: MakeWorld, at: number) {
  const { world, store } = await make({ key: { schedule: { every: "30d" }, ...SOAK } });
  let commits = 0;
  let restore: (() => void) | undefined;
  const before: Hook = async (call) => {
    if (call !== "journal.commit") return;
    commits += 1;
    if (commits === at) restore = backup(world);
  };
  await course.act(() => world.process({ store: store(), before }), world);
  return { world, restore, start: () => world.process({ store: store() }) };
}

describe.each(PLACES)("for a secret %s, a journal restored from a backup", (_, make) => {
  describe.each(COURSES)("$name", (course) => {
    test.each(AFTERWARDS)("does no harm where %s", async (_name, act) => {
      const stride = thorough ? 1 : make === inAws ? 11 : 3;
      for (let at = 1; ; at += stride) {
        const { world, restore, start } = await run(course, make, at);
        if (restore === undefined) {
          expect(at).toBeGreaterThan(20);
          break;
        }
        const where = `restored to before commit ${at}`;
        const current = world.current() as string;
        restore();
        world.revoking = act === AFTERWARDS[2]?.[1];
        await act(start());
        world.revoking = false;
        expect(world.model.accepted(world.current() as string), where).toBeDefined();
        if (world.current() === current) expect(world.model.accepted(current), where).toBeDefined();
        for (let day = 0; day < 3; day += 1) {
          if ((await start().status()).state === "held") await start().ask("approve");
          await world.clock.sleep(DAY + HOUR);
          await start().once();
        }
        expect(["completed", "deleted"], where).toContain(
          (await start().now({ until: "completed" })).outcome,
        );
        await world.clock.sleep(3 * DAY);
        await start().once();
        expect(world.violations, where).toEqual([]);
        expect(world.payments.serving(), where).toEqual([world.current()]);
        const ours = world.live().filter(({ name }) => name.startsWith("keyturn/"));
        expect(
          ours.map(({ hash }) => hash),
          where,
        ).toContain(hashOf(world.current()));
        expect((await start().status()).rotation, where).toBeUndefined();
      }
    });
  });
});
