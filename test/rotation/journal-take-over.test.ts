import { describe, expect, test } from "vitest";
import { memoryJournalState } from "../../src/journal/memory.ts";
import type { Store } from "../../src/stores/store.ts";
import { DAY, HOUR, type Hook, hashOf, type Process, type Scenario, type scenario } from "./scenario.ts";
import { inAws, type MakeWorld, PLACES, REF, type StoredWorld } from "./store-worlds.ts";

interface Course {
  name: string;
  options?: Parameters<typeof scenario>[0];
  before?(world: Scenario, start: () => Process): Promise<unknown>;
  act(process: Process): Promise<unknown>;
}

const SOAK = { retire: { after: "1s", watch: "1s", keepDisabledFor: "2d" } };

const COURSES: Course[] = [
  { name: "rotating", options: { key: SOAK }, act: (process) => process.now({ until: "completed" }) },
  { name: "provisioning", options: { existing: false }, act: (process) => process.once() },
  {
    name: "going back on a timeout",
    options: { key: { confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" } } },
    before: async (world) => world.payments.stuck(),
    act: (process) => process.now(),
  },
  {
    name: "rolling back after completion",
    options: { key: SOAK },
    before: async (_, start) => start().now({ until: "completed" }),
    act: (process) => process.ask("rollback"),
  },
  {
    name: "revoking",
    before: async (world, start) => {
      await start().now();
      world.revoking = true;
    },
    act: (process) => process.ask("revoke"),
  },
];

/** Hashes of the keys that the provider has, disabled ones too, beside the current one. */
function others({ model, current }: Scenario): string[] {
  return model
    .allKeys()
    .map(({ hash }) => hash)
    .filter((hash) => hash !== hashOf(current()))
    .sort();
}

async function undecided(process: Process): Promise<string[]> {
  const { undecided: keys = [] } = await process.status();
  return keys.map(({ hash }) => hash as string).sort();
}

/** For a secret in AWS, too, at every such call where time allows: KEYTURN_TEST_KILLS=all. */
const thorough = process.env.KEYTURN_TEST_KILLS === "all";

/** Calls after which the world is another one, or may be. */
const CHANGES = /^(journal\.commit|provider\.send|store\.(claim|stage|promote|drop|fence))$/;

interface Run extends StoredWorld {
  /** A process on the journal that was there from the start. */
  start(before?: Hook): Process;
}

async function run(course: Course, make: MakeWorld): Promise<Run> {
  const { world, store } = await make(course.options);
  const start = (before?: Hook) => world.process({ store: store(), ...(before ? { before } : {}) });
  await course.before?.(world, start);
  return { world, store, start };
}

/** The calls of a course that change anything, by their number among all calls; found by running it. */
async function changes(course: Course, make: MakeWorld): Promise<{ at: number; call: string }[]> {
  const { start } = await run(course, make);
  const calls: string[] = [];
  await course.act(start(async (call) => void calls.push(call)));
  const found = calls
    .map((call, index) => ({ at: index + 1, call }))
    .filter(({ call }) => CHANGES.test(call));
  return make === inAws && !thorough ? found.filter((_, index) => index % 3 === 1) : found;
}

/** Runs a course until its `at`-th call, which waits until `go` is called. */
async function pause(course: Course, { start }: Run, at: number) {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  let calls = 0;
  const process = start(async () => {
    calls += 1;
    if (calls !== at) return;
    reached.resolve();
    await gate.promise;
  });
  const ended = course.act(process);
  await reached.promise;
  const go = () => {
    gate.resolve();
    return ended;
  };
  return { process, go };
}

describe.each(PLACES)("a journal lost for a secret %s", (_, make) => {
  test.each(COURSES)(
    "while $name: nothing is touched before a take-over, and after it nothing that is not proved ours",
    async (course) => {
      let takenOver = 0;
      const sites = await changes(course, make);
      for (const { at, call } of sites) {
        const where = `lost before call ${at} (${call})`;
        const dying = await run(course, make);
        const { world, store } = dying;
        (await pause(course, dying, at)).process.kill();
        world.revoking = false;
        world.payments.stuck(false);

        const journal = memoryJournalState(world.random);
        const anew = () => world.process({ store: store(), state: journal });
        const before = {
          current: world.current(),
          revoked: world.revoked.length,
          made: world.sent("POST").length,
        };
        const untouched = () => {
          expect(world.current(), where).toBe(before.current);
          expect(world.revoked, where).toHaveLength(before.revoked);
          expect(world.sent("POST"), where).toHaveLength(before.made);
        };
        if ((await store().observe(REF)).owner !== undefined) {
          expect(await anew().once(), where).toMatchObject([{ outcome: "blocked" }]);
          untouched();
          await anew().ask("take-over");
          takenOver += 1;
          if (before.current !== undefined) untouched();
        }
        await anew().once();
        expect(world.model.accepted(world.current() as string), where).toBeDefined();
        expect(await staged(store()), where).toEqual([]);
        const left = others(world);
        expect(await undecided(anew()), where).toEqual(left);

        await world.clock.sleep(HOUR);
        world.payments.settle();
        expect(["completed", "deleted"], where).toContain((await anew().now()).outcome);
        await world.clock.sleep(2 * DAY);
        await anew().once();
        expect(others(world), where).toEqual(left);
        expect(world.violations, where).toEqual([]);
        expect(world.payments.serving(), where).toEqual([world.current()]);
      }
      expect(takenOver).toBeGreaterThan(make === inAws && !thorough ? 3 : 10);
    },
  );

  test.each(make === inAws ? COURSES.filter(({ name }) => name !== "revoking") : COURSES)(
    "while $name, with the old process only asleep: its calls that land after the take-over do no harm",
    async (course) => {
      for (const { at, call } of await changes(course, make)) {
        const where = `asleep before call ${at} (${call})`;
        const old = await run(course, make);
        const { world, store } = old;
        const { go } = await pause(course, old, at);
        world.payments.stuck(false);
        const journal = memoryJournalState(world.random);
        const anew = () => world.process({ store: store(), state: journal });
        await anew().ask("take-over");
        world.payments.settle();
        await anew().now();
        await Promise.all([go(), world.clock.sleep(HOUR)]);
        world.revoking = false;
        await anew().once();
        await world.clock.sleep(2 * DAY);
        await anew().once();
        expect(world.violations, where).toEqual([]);
        expect(world.model.accepted(world.current() as string), where).toBeDefined();
        expect(world.payments.serving(), where).toEqual([world.current()]);
        expect(await staged(store()), where).toEqual([]);
        const known = await undecided(anew());
        for (const hash of others(world)) expect(known, where).toContain(hash);
      }
    },
  );
});

test.each([
  ["a promotion", "updateSecretVersionStage", "AWSCURRENT"],
  ["a staging", "putSecretValue", "KEYTURN-"],
])(
  "%s that was already on its way to AWS when the journal was lost is not followed by an outage",
  async (_, late, label) => {
    const { world, store } = await inAws({});
    const reached = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const old = world.process({
      store: store(async (call, input) => {
        if (call !== late || !JSON.stringify(input).includes(label)) return;
        reached.resolve();
        await gate.promise;
      }),
    });
    const ended = old.now();
    await reached.promise;
    const journal = memoryJournalState(world.random);
    const anew = () => world.process({ store: store(), state: journal });
    await anew().ask("take-over");
    const current = world.current();
    gate.resolve();
    await Promise.all([ended, world.clock.sleep(HOUR)]);
    expect(world.current()).toBe(current);
    await world.clock.sleep(DAY);
    await anew().once();
    expect(await staged(store())).toEqual([]);
    expect(await undecided(anew())).toEqual(others(world));
    expect(others(world)).toHaveLength(1);
    expect(world.violations).toEqual([]);
  },
);

/** Versions in a stage; the first one of a secret in AWS is current from the start, with its label on. */
async function staged(store: Store) {
  const view = await store.observe(REF);
  return view.staged.filter(({ version }) => version !== view.current?.version);
}
