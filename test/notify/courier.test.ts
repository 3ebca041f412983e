import { describe, expect, test } from "vitest";
import type { Clock } from "../../src/lib/clock.ts";
import { RotationError } from "../../src/lib/errors.ts";
import type { HttpRequest } from "../../src/lib/http.ts";
import { noticeOf } from "../journal/content.ts";
import { DAY, HOUR, MINUTE } from "../rotation/scenario.ts";
import { HOOK, notifiedWorld, OTHER_HOOK, waiting } from "./world.ts";

const ALL = ["planned", "promoted", "confirmed", "completed", "held"];
const told = (...urls: string[]) => ({ notify: urls.map((http) => ({ http, on: ALL })) });
const COURSE = ["planned", "promoted", "confirmed", "completed"];
const down = () => new RotationError("unreachable", "POST https://hooks.test made no connection");

describe("notices are delivered", () => {
  test("to every destination, in order, while the rotation goes on; then none is left", async () => {
    const { world, process, events, outcomes } = await notifiedWorld({ key: told(HOOK, OTHER_HOOK) });
    const one = process();
    await one.now();
    expect(events().slice(0, 2)).toEqual(["planned", "promoted"]);
    await one.stop();
    expect([events(HOOK), events(OTHER_HOOK)]).toEqual([COURSE, COURSE]);
    expect(await waiting(one.journal)).toEqual([]);
    expect(outcomes).toEqual(Array(8).fill("webhook delivered"));
    expect(world.violations).toEqual([]);
  });

  test("after hours in which nobody could be told, and the rotation waits for none of it", async () => {
    const undisturbed = await notifiedWorld({ key: told(HOOK) });
    const quick = await undisturbed.process().now();
    const { world, process, events, posts, answers, logged } = await notifiedWorld({ key: told(HOOK) });
    const from = world.clock.now();
    answers.set("hooks.test", () => (world.clock.now() < from + 6 * HOUR ? down() : 204));
    const worker = process();
    expect(await worker.now()).toMatchObject({ outcome: quick.outcome, tookMs: quick.tookMs });
    expect(await waiting(worker.journal)).toEqual(COURSE);
    await world.clock.sleep(7 * HOUR);
    expect(events()).toEqual(COURSE);
    expect(posts[0]?.at).toBeLessThan(from + 6 * HOUR + 6 * MINUTE);
    expect(logged("warn").filter((line) => /hooks\.test/.test(line))).toHaveLength(1);
    await worker.stop();
    expect(await waiting(worker.journal)).toEqual([]);
  });

  test("by the next process, when the one that committed them was killed before it told anybody", async () => {
    const { process, events, posts } = await notifiedWorld({ key: told(HOOK) });
    const committed = process({ courier: { send: () => new Promise(() => {}) } });
    await committed.now();
    const kept = await committed.journal.notices();
    committed.kill();
    const next = process();
    await next.stop();
    expect(posts.map(({ body }) => body.id)).toEqual(kept.map(({ id }) => id));
    expect(events()).toEqual(COURSE);
    const third = process();
    await third.stop();
    expect(events()).toEqual(COURSE);
  });

  test("again with the same id, when the process was killed before it could note that they were", async () => {
    const { world, process, posts } = await notifiedWorld({
      key: { notify: [{ http: HOOK, on: ["completed"] }] },
    });
    const unnoted = { ...world.process().journal, delivered: () => new Promise<never>(() => {}) };
    const killed = process({ courier: { journal: unnoted } });
    await killed.now();
    await world.clock.sleep(1_000);
    expect(posts).toHaveLength(1);
    killed.kill();
    const next = process();
    await next.stop();
    expect(new Set(posts.map(({ body }) => body.id)).size).toBe(1);
    expect(posts.length).toBe(2);
    expect(await waiting(next.journal)).toEqual([]);
  });

  test("and noted one by one: a process killed at the second does not tell the first again", async () => {
    const { world, process, events } = await notifiedWorld({ key: told(HOOK) });
    const committed = process({ courier: { send: () => new Promise(() => {}) } });
    await committed.now();
    committed.kill();
    const hangs = async ({ body = "" }: HttpRequest) => {
      if (JSON.parse(body).event !== "planned") await new Promise(() => {});
      return { status: 204, headers: {}, body: "" };
    };
    const killed = process({ courier: { send: hangs } });
    await world.clock.sleep(1_000);
    killed.kill();
    await process().stop();
    expect(events()).toEqual(COURSE.slice(1));
  });

  test("once, while the journal can neither be read nor written, and noted when it can", async () => {
    const { world, process, posts, logged } = await notifiedWorld({ key: told(HOOK) });
    const { journal } = world.process();
    let locked = false;
    let mended = false;
    const refuse = <T>(call: () => Promise<T>) =>
      locked ? Promise.reject(new RotationError("busy", "the journal is locked")) : call();
    const worker = process({
      courier: {
        journal: {
          read: (target) => journal.read(target),
          notices: () => refuse(() => journal.notices()),
          delivered: (target, some) => refuse(() => journal.delivered(target, some)),
        },
        onNotified: () => (locked = !mended),
      },
    });
    await worker.now();
    await world.clock.sleep(10 * MINUTE);
    expect(new Set(posts.map(({ body }) => body.id)).size).toBe(posts.length);
    expect(logged("warn").filter((line) => /locked/.test(line))).toHaveLength(2);
    [locked, mended] = [false, true];
    await worker.stop();
    expect(posts.map(({ body }) => body.event)).toEqual(COURSE);
    expect(await waiting(journal)).toEqual([]);
  });

  test("of one secret, whatever becomes of the notes about another's", async () => {
    const { world, process, events } = await notifiedWorld({ key: told(HOOK) });
    const { journal } = world.process();
    const [target, other] = ["local/payments", "local/another"];
    for (const of of [other, target])
      world.journalState.outbox.set(
        of,
        JSON.stringify([noticeOf(`msg_${of}`, of, { at: world.clock.now(), key: "payments-api" })]),
      );
    const worker = process({
      courier: {
        journal: {
          ...journal,
          delivered: async (of, some) => {
            if (of === other || !some.some(({ by }) => by.length === 0)) throw new RotationError("full", of);
            await journal.delivered(of, some);
          },
        },
        policy: () => ({ ...world.policy, keys: [] }),
      },
    });
    worker.courier.ring();
    await worker.stop();
    expect(events()).toEqual([]);
    expect((await journal.notices()).map((notice) => notice.target)).toEqual([other]);
  });

  test("as soon after a clock that was set back as before it", async () => {
    const { world, process, events, answers } = await notifiedWorld({ key: told(HOOK) });
    answers.set("hooks.test", down);
    let ahead = 0;
    const clock: Clock = { ...world.clock, now: () => world.clock.now() + ahead };
    const worker = process({ courier: { clock } });
    await worker.now();
    await world.clock.sleep(HOUR);
    ahead = -12 * HOUR;
    answers.delete("hooks.test");
    await world.clock.sleep(10 * MINUTE);
    expect(events()).toEqual(COURSE);
    await worker.stop();
  });

  test("to one destination, while another is down: neither waits, and nobody is told twice", async () => {
    const { world, process, events, answers } = await notifiedWorld({ key: told(HOOK, OTHER_HOOK) });
    answers.set("other.test", () => 503);
    const worker = process();
    await worker.now();
    await worker.stop();
    expect([events(HOOK), events(OTHER_HOOK)]).toEqual([COURSE, []]);
    answers.delete("other.test");
    const next = process();
    await world.clock.sleep(MINUTE);
    await next.stop();
    expect([events(HOOK), events(OTHER_HOOK)]).toEqual([COURSE, COURSE]);
    expect(await waiting(next.journal)).toEqual([]);
  });

  test("where the policy says now: to a new URL, and to an old one no more", async () => {
    const { world, process, events, answers } = await notifiedWorld({ key: told(HOOK) });
    answers.set("hooks.test", () => 503);
    const worker = process();
    await worker.now();
    world.setPolicy([{ ...world.key, ...told(OTHER_HOOK) }]);
    await world.clock.sleep(10 * MINUTE);
    await worker.stop();
    expect([events(HOOK), events(OTHER_HOOK)]).toEqual([[], COURSE]);
  });

  test("by a key's last policy, once it has left the file", async () => {
    const { world, process, events } = await notifiedWorld({ key: told(HOOK) });
    const worker = process({ courier: { send: () => new Promise(() => {}) } });
    await worker.now();
    worker.kill();
    world.setPolicy([{ ...world.key, name: "another", store: { use: "local", secret: "another" } }]);
    const next = process();
    next.courier.ring();
    await next.stop();
    expect(events()).toEqual(COURSE);
  });
});

describe("a destination that refuses", () => {
  test("is asked again ever more seldom, said once, and told when it is mended", async () => {
    const { world, process, events, answers, logged } = await notifiedWorld({ key: told(HOOK) });
    let asked = 0;
    answers.set("hooks.test", () => {
      asked += 1;
      return { status: 404, body: "no_service" };
    });
    const worker = process();
    await worker.now();
    await world.clock.sleep(10 * HOUR);
    expect(asked).toBeLessThan(60);
    expect(logged("warn").filter((line) => /HTTP 404: no_service/.test(line))).toHaveLength(1);
    answers.delete("hooks.test");
    await world.clock.sleep(2 * HOUR);
    await worker.stop();
    expect(events().toSorted()).toEqual(COURSE.toSorted());
  });

  test("several messages keeps no other back for ever", async () => {
    const { world, process, events, answers } = await notifiedWorld({ key: told(HOOK) });
    answers.set("hooks.test", ({ body }) => (body.event === "completed" ? 204 : 400));
    const worker = process();
    await worker.now();
    await world.clock.sleep(2 * HOUR);
    await worker.stop();
    expect(events()).toEqual(["completed"]);
  });

  test("one message keeps no later one back", async () => {
    const { world, process, events, answers } = await notifiedWorld({ key: told(HOOK) });
    answers.set("hooks.test", ({ body }) => (body.event === "planned" ? 400 : 204));
    const worker = process();
    await worker.now();
    await world.clock.sleep(2 * HOUR);
    await worker.stop();
    expect(events()).toEqual(COURSE.slice(1));
    expect(await waiting(worker.journal)).toEqual(["planned"]);
  });

  test("one message does not make an alarm wait that comes hours later", async () => {
    const { world, process, posts, answers } = await notifiedWorld({
      key: { ...told(HOOK), confirm: { timeout: "1m" } },
    });
    answers.set("hooks.test", ({ body }) => (body.event === "planned" ? 400 : 204));
    const worker = process();
    await worker.now();
    await world.clock.sleep(9 * HOUR);
    world.payments.stuck();
    await worker.now({ within: HOUR });
    const held = (await worker.journal.history({})).findLast(({ kind }) => kind === "hold");
    await world.clock.sleep(MINUTE);
    const alarm = posts.find(({ body }) => body.event === "held");
    expect(alarm?.at).toBeLessThan((held?.at ?? 0) + MINUTE);
    await worker.stop();
  });

  test("for longer than a message is news is not told it any more, and a person reads that in the log", async () => {
    const { world, process, answers, logged } = await notifiedWorld({
      key: { notify: [{ http: HOOK, on: ["planned", "held"] }], confirm: { timeout: "1m" } },
    });
    answers.set("hooks.test", () => 410);
    world.payments.stuck();
    const worker = process();
    await worker.now({ within: HOUR });
    await worker.stop();
    await world.clock.sleep(2 * DAY);
    await process().stop();
    expect(await waiting(worker.journal)).toEqual(["held"]);
    await world.clock.sleep(6 * DAY);
    await process().stop();
    expect(await waiting(worker.journal)).toEqual([]);
    expect(
      logged("warn").filter((line) => /was never delivered everywhere, and is given up/.test(line)),
    ).toHaveLength(2);
  });

  test("says when to come again, and is heard", async () => {
    const { world, process, posts, answers } = await notifiedWorld({ key: told(HOOK) });
    const from = world.clock.now();
    let asked = 0;
    answers.set("hooks.test", () => {
      asked += 1;
      return asked > 1 ? 204 : { status: 429, headers: { "retry-after": "1800" } };
    });
    const worker = process();
    await worker.now();
    await world.clock.sleep(HOUR);
    await worker.stop();
    expect(posts[0]?.at).toBeGreaterThanOrEqual(from + HOUR / 2);
    expect(posts).toHaveLength(4);
  });
});

describe("a command's end", () => {
  test("waits a few seconds for a receiver that hangs, and leaves the rest to the next", async () => {
    const { world, process, events, answers } = await notifiedWorld({ key: told(HOOK) });
    const receivers = answers;
    receivers.set("hooks.test", () => down());
    const one = process();
    await one.now();
    const from = world.clock.now();
    await one.stop(5_000);
    expect(world.clock.now() - from).toBeLessThanOrEqual(5_000);
    expect(await waiting(one.journal)).toEqual(COURSE);
    receivers.delete("hooks.test");
    await process().stop();
    expect(events()).toEqual(COURSE);
  });

  test("tells also what was committed while the journal was being read", async () => {
    const { world, process, events } = await notifiedWorld({ key: told(HOOK) });
    const { journal } = world.process();
    const read = Promise.withResolvers<void>();
    const notices = async () => {
      const kept = await journal.notices();
      await read.promise;
      return kept;
    };
    const one = process({ courier: { journal: { ...journal, notices } } });
    await one.now();
    const stopped = one.stop();
    read.resolve();
    await stopped;
    expect(events()).toEqual(COURSE);
  });

  test.for([
    ["a secret's file", { readSecret: () => new Promise<never>(() => {}) }],
    ["a receiver's name", { send: () => new Promise<never>(() => {}) }],
  ] as const)("does not wait for ever for %s", async ([, courier]) => {
    const { world, process } = await notifiedWorld({
      key: { notify: [{ http: { url: HOOK, auth: { bearer: { env: "TOKEN" } } }, on: [...ALL, "pass"] }] },
    });
    const one = process({ courier });
    one.courier.passed([await one.now()]);
    const from = world.clock.now();
    await one.stop(5_000);
    expect(world.clock.now() - from).toBeLessThanOrEqual(6_000);
    expect(await waiting(one.journal)).toEqual(COURSE);
  });

  test("does not wait for ever for a journal", async () => {
    const { world, process } = await notifiedWorld({ key: told(HOOK) });
    const never = () => new Promise<never>(() => {});
    const one = process({ courier: { journal: { read: never, notices: never, delivered: never } } });
    await one.now();
    const from = world.clock.now();
    await one.stop(5_000);
    expect(world.clock.now() - from).toBeLessThanOrEqual(6_000);
  });

  test("waits for nothing where there is nothing to tell", async () => {
    const { world, process } = await notifiedWorld();
    const one = process();
    await one.now();
    const from = world.clock.now();
    await one.stop();
    expect(world.clock.now()).toBe(from);
  });
});

test("a journal that was restored from an old copy sends no news of long ago", async () => {
  const { world, process, posts } = await notifiedWorld({ key: told(HOOK) });
  const target = "local/payments";
  const months = world.clock.now() - 90 * DAY;
  world.journalState.outbox.set(
    target,
    JSON.stringify([
      noticeOf("msg_old", target, { at: months }),
      noticeOf("msg_older", target, { at: months - 1 }),
    ]),
  );
  const one = process();
  await one.stop();
  expect(posts).toEqual([]);
  expect(await waiting(one.journal)).toEqual([]);
});

describe("a sign of life", () => {
  const monitored = { key: { notify: [{ http: HOOK, on: ["pass" as const] }, { http: OTHER_HOOK }] } };

  test("goes to whoever asks for it after a pass, with how the keys came out, at most once a minute", async () => {
    const { world, process, posts } = await notifiedWorld(monitored);
    const worker = process();
    worker.courier.passed(await worker.once());
    worker.courier.passed(await worker.once());
    await world.clock.sleep(MINUTE);
    worker.courier.passed(await worker.once());
    await worker.stop();
    expect(posts.map(({ url, body }) => [url, body])).toEqual([
      [
        HOOK,
        expect.objectContaining({ event: "pass", installation: "test", keys: 1, outcomes: { idle: 1 } }),
      ],
      [HOOK, expect.objectContaining({ event: "pass" })],
    ]);
  });

  test("stays away when the pass could work on nothing, as its absence is the signal", async () => {
    const { process, posts } = await notifiedWorld(monitored);
    const one = process();
    one.courier.passed([
      { key: "payments-api", outcome: "failed", code: "unusable", message: "the journal is damaged" },
    ]);
    await one.stop();
    expect(posts).toEqual([]);
  });

  test("is not given a second time while the first still waits for its secret", async () => {
    const { world, process } = await notifiedWorld({
      key: {
        notify: [{ http: { url: HOOK, auth: { bearer: { env: "TOKEN" } } }, on: ["pass"] }],
      },
    });
    let asked = 0;
    const worker = process({
      courier: {
        readSecret: () => {
          asked += 1;
          return new Promise(() => {});
        },
      },
    });
    for (let pass = 0; pass < 5; pass++) {
      worker.courier.passed(await worker.once());
      await world.clock.sleep(2 * MINUTE);
    }
    expect(asked).toBe(1);
    await worker.stop();
  });

  test("that cannot be given is said, and not kept for later", async () => {
    const { world, process, posts, answers, logged } = await notifiedWorld(monitored);
    answers.set("hooks.test", () => 503);
    const one = process();
    one.courier.passed(await one.once());
    await one.stop();
    expect(posts).toEqual([]);
    expect(world.journalState.outbox.size).toBe(0);
    expect(logged("warn")).toEqual([
      "no sign of life to hooks.test/keyturn: hooks.test/keyturn answered HTTP 503",
    ]);
  });
});
