import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { DAY, HOUR, hashOf, MINUTE, type Process, type Scenario, scenario } from "./scenario.ts";

const NO_SPACE = new RotationError("full", "no space left on the device", { hint: "make room there" });

/** Writes of the journal, and of the store. */
const JOURNAL = /^journal\.(commit|acquire|renew|request)$/;
const STORE = /^store\.(claim|stage|promote|drop|fence)$/;

interface Course {
  name: string;
  options?: Parameters<typeof scenario>[0];
}
const COURSES: Course[] = [
  { name: "rotating" },
  { name: "provisioning", options: { existing: false } },
  {
    name: "going back on a timeout",
    options: { key: { confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" } } },
  },
];

/** A world whose disk is full from the `at`-th write that matches on, until `room` is called. */
async function disk({ options, name }: Course, writes: RegExp, at: number) {
  const world = await scenario(options);
  if (name.startsWith("going back")) world.payments.stuck();
  let count = 0;
  let room = false;
  const before = async (call: string) => {
    if (!writes.test(call)) return;
    count += 1;
    if (!room && count >= at) throw NO_SPACE;
  };
  return {
    world,
    start: () => world.process({ before }),
    met: () => count >= at,
    room: () => {
      room = true;
    },
  };
}

/** What a worker does in a while: a pass every fifteen seconds. */
async function work(process: Process, world: Scenario, ms: number) {
  for (const end = world.clock.now() + ms; world.clock.now() < end; ) {
    await process.once({ within: 15_000 });
    await world.clock.sleep(15_000);
  }
}

/** Log lines that an operator sees, about the disk. */
function alarms({ logged }: Scenario): string[] {
  return logged.filter((line) => /"level":"(warn|error)"/.test(line) && line.includes(NO_SPACE.message));
}

describe.each([
  ["journal", JOURNAL],
  ["store", STORE],
  ["journal and the store", new RegExp(`${JOURNAL.source}|${STORE.source}`)],
])("a disk that runs full under the %s", (_, writes) => {
  test.each(COURSES)(
    "at any write while $name: nothing is lost, and it goes on once there is room",
    async (course) => {
      for (let at = 1; ; at += 1) {
        const where = `full from write ${at}`;
        const { world, start, met, room } = await disk(course, writes, at);
        const worker = start();
        await worker.engine.request("payments-api", { kind: "rotate", actor: "test" }).catch(() => {});
        await work(worker, world, 5 * MINUTE);
        if (!met()) {
          expect(at).toBeGreaterThan(3);
          break;
        }
        expect(world.violations, where).toEqual([]);
        const current = world.current();
        if (current !== undefined) expect(world.model.accepted(current), where).toBeDefined();
        expect(alarms(world).length, where).toBeLessThanOrEqual(4);
        expect(world.model.allKeys().length, where).toBeLessThanOrEqual(3);
        world.payments.stuck(false);
        room();
        await work(worker, world, 20 * MINUTE);
        world.payments.settle();
        await world.clock.sleep(DAY + HOUR);
        await work(worker, world, 5 * MINUTE);
        expect(world.violations, where).toEqual([]);
        expect(
          world.live().map(({ hash }) => hash),
          where,
        ).toEqual([hashOf(world.current())]);
        expect(world.payments.serving(), where).toEqual([world.current()]);
        expect(world.backing.get("payments")?.record?.staged ?? [], where).toEqual([]);
        expect((await start().status()).rotation, where).toBeUndefined();
      }
    },
  );
});

/** The journal cannot take the hash of a new key, once. */
async function hashNotJournalled() {
  const world = await scenario();
  let full = 1;
  const process = world.process({
    before: async (call, args) => {
      const change = args[1] as { events?: { kind: string }[] } | undefined;
      if (call === "journal.commit" && change?.events?.[0]?.kind === "created" && full-- > 0) throw NO_SPACE;
    },
  });
  return { world, process };
}

describe("one write for which there is no room", () => {
  test("the hash of a new key: its plaintext reaches the store all the same, and that very key becomes current", async () => {
    const { world, process } = await hashNotJournalled();
    expect(await process.now()).toMatchObject({ outcome: "deleted", newHash: hashOf(world.current()) });
    expect(world.sent("POST")).toHaveLength(1);
    const { current } = await process.status();
    const key = world.model.key(hashOf(world.current()) as string);
    expect(current).toMatchObject({
      fingerprint: `sha256:${hashOf(world.current())}`,
      label: key?.label,
      createdAt: key?.createdAt,
    });
    expect(world.violations).toEqual([]);
  });

  test("the hash of a new key whose process then dies: the next one finds it in the store", async () => {
    const { world, process } = await hashNotJournalled();
    await process.once({ keys: ["payments-api"], within: 0 });
    await process.engine.request("payments-api", { kind: "rotate", actor: "test" });
    await process.once({ within: 0 });
    process.kill();
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
    expect(world.sent("POST")).toHaveLength(1);
  });

  test.each([
    ["journal", JOURNAL],
    ["store", STORE],
  ])("any of the %s: the rotation ends well without a person", async (_, writes) => {
    for (let at = 1; ; at += 1) {
      const where = `no room for write ${at}`;
      const world = await scenario();
      let count = 0;
      const process = world.process({
        before: async (call) => {
          if (!writes.test(call)) return;
          count += 1;
          if (count === at) throw NO_SPACE;
        },
      });
      await process.now().catch(() => undefined);
      if (count < at) break;
      if (hashOf(world.current()) === undefined || world.sent("POST").length === 0) await process.now();
      await process.once();
      expect(world.violations, where).toEqual([]);
      expect(
        world.live().map(({ hash }) => hash),
        where,
      ).toEqual([hashOf(world.current())]);
      expect(world.payments.serving(), where).toEqual([world.current()]);
      expect((await process.status()).rotation, where).toBeUndefined();
      expect(world.live()[0]?.name, where).toContain("keyturn/");
    }
  });
});

test("a store that is full for a day costs one key at the provider, and the rotation completes when there is room", async () => {
  const { world, start, room } = await disk({ name: "rotating" }, /^store\.stage$/, 1);
  const worker = start();
  await worker.engine.request("payments-api", { kind: "rotate", actor: "test" });
  for (let hour = 0; hour < 24; hour += 1) await work(worker, world, HOUR);
  expect(world.sent("POST")).toHaveLength(1);
  expect(world.live()).toHaveLength(1);
  expect((await worker.status()).rotation).toMatchObject({ error: { code: "full", hint: NO_SPACE.hint } });
  expect(alarms(world).length).toBeLessThanOrEqual(4);
  room();
  await work(worker, world, 10 * MINUTE);
  expect((await worker.status()).last?.outcome).toBe("completed");
  expect(world.live().map(({ hash }) => hash)).toEqual([hashOf(world.current())]);
});
