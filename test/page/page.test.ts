import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { consumerOf, DAY, eventOf, NOW, PageWorld, rotating, statusOf, textOf } from "./support.ts";

const KEY = `sk-or-v1-${"0123456789abcdef".repeat(4)}`;

describe("the headline", () => {
  test("says that all is well, how many keys there are and what comes next", async () => {
    const soon = statusOf("search", { next: { at: NOW + 2 * DAY, why: "schedule" } });
    const html = await new PageWorld([statusOf("payments-api"), soon]).show();
    expect(html).toContain("<title>All is well · keyturn</title>");
    expect(textOf(html)).toContain("2 keys. Next: search in 2d .");
  });

  test("counts the keys that need a person, and says what is wrong with the worker", async () => {
    const world = new PageWorld([
      statusOf("a", { state: "overdue" }),
      rotating("b"),
      statusOf("c", { state: "blocked" }),
    ]);
    world.worker = {
      ok: false,
      problems: ["openrouter refuses the `management key`"],
      warnings: ["the policy is refused"],
    };
    const text = textOf(await world.show());
    expect(text).toContain("2 keys need a person 3 keys. 1 rotation in flight.");
    expect(text).toContain("openrouter refuses the management key");
    expect(text).toContain("the policy is refused");
  });

  test("a worker that cannot do its work is not well, though every key is", async () => {
    const world = new PageWorld([statusOf("a")]);
    world.worker = { ok: false, problems: ["the journal cannot be written: full"] };
    expect(textOf(await world.show())).toContain("The worker cannot do all its work");
  });

  test("a journal that cannot be read is said in place of the keys, with what to do, as 503", async () => {
    const world = new PageWorld([statusOf("a")]);
    world.fails = new RotationError("forbidden", "may not read it", { hint: "allow `get`" });
    const answer = await world.page.show("/", new URLSearchParams());
    expect(answer?.status).toBe(503);
    expect(textOf(answer?.body ?? "")).toMatch(/The journal cannot be read may not read it; allow get/);
  });
});

describe("a rotation in flight", () => {
  test("is shown with the phases that it has gone through, who confirms, and what it waits for until when", async () => {
    const world = new PageWorld([rotating("payments-api")]);
    world.events = ["start", "staged", "verified", "promoted"].map((kind, n) =>
      eventOf(n, { kind, rotation: "b54b08b2e6647f2b", at: NOW - 90_000 + n * 10_000 }),
    );
    world.page.onProgress({
      type: "consumers",
      key: "payments-api",
      rotation: "b54b08b2e6647f2b",
      consumers: [
        consumerOf("payments", { streak: 3, confirmed: true }),
        consumerOf("billing", { streak: 1 }),
      ],
    });
    const html = await world.show();
    const text = textOf(html);
    expect(text).toContain(
      "planned every consumer answered 1m 30s ago staged the new key is in the store 1m 20s ago",
    );
    expect(html).toMatch(/<li class="present" aria-current="step">.{0,100}promoted/);
    expect(text).toContain("Waits for billing to confirm, until 21 Nov 2026, 13:00 UTC ( in 1h )");
    expect(text).toContain("billing ●○○ 1/3 sweeps in a row not confirmed yet ○ billing-1");
    expect(text).toContain("aaaaaaaaaaaa… → bbbbbbbbbbbb…");
    expect(text).not.toContain("a".repeat(20));
  });

  test("that this worker has not looked after says what the journal knows", async () => {
    expect(textOf(await new PageWorld([rotating("a")]).show())).toContain(
      "Waits for consumers to confirm: payments, billing",
    );
  });

  test("evidence of an earlier rotation is not shown for the present one", async () => {
    const world = new PageWorld([rotating("a")]);
    world.page.onProgress({
      type: "consumers",
      key: "a",
      rotation: "another",
      consumers: [consumerOf("stale")],
    });
    expect(await world.show()).not.toContain("stale");
  });

  test("that is held says why and what to type, in place of what it waits for", async () => {
    const held = {
      reason: "foreign-current",
      message: "somebody wrote it",
      since: NOW - 60_000,
      hint: "look; then `rotate approve a` keeps it",
    };
    const html = await new PageWorld([rotating("a", { held })]).show();
    expect(textOf(html)).toContain(
      "Held at promoted 1m ago somebody wrote it look; then rotate approve a keeps it",
    );
    expect(html).not.toContain('class="waits"');
  });

  test("on its way back shows how far it had come", async () => {
    const world = new PageWorld([rotating("a", { phase: "reverting", direction: "back" })]);
    world.events = ["staged", "verified", "promoted", "revert"].map((kind, n) =>
      eventOf(n, { kind, key: "a", rotation: "b54b08b2e6647f2b" }),
    );
    const phases = [...(await world.show()).matchAll(/class="phase">(\w+)/g)].map(([, phase]) => phase);
    expect(phases).toEqual(["planned", "staged", "verified", "promoted", "reverting", "reverted"]);
  });

  test("with a thousand instances shows those that do not confirm first, and counts the rest", async () => {
    const world = new PageWorld([rotating("a")]);
    const instances = Array.from({ length: 1_000 }, (_, n) => ({
      instance: `pod-${n}`,
      verdict: n === 999 ? ("silent" as const) : ("confirms" as const),
      detail: "",
    }));
    const consumers = [consumerOf("many", { instances })];
    world.page.onProgress({ type: "consumers", key: "a", rotation: "b54b08b2e6647f2b", consumers });
    const html = await world.show();
    expect(html.indexOf("pod-999")).toBeLessThan(html.indexOf("pod-0<"));
    expect(html).toContain("and 950 more instances");
  });
});

describe("a key", () => {
  test("is shown with its age against its schedule and its expiry", async () => {
    const key = statusOf("a");
    const html = await new PageWorld([
      statusOf("a", { current: { ...key.current, expiresAt: NOW + 48 * DAY } as never }),
    ]).show();
    expect(html).toContain('class="fill" y="3" width="20.00%"');
    expect(html).toContain('class="due" x="50.00%"');
    expect(textOf(html)).toContain("12d old · due in 18d · expires in 48d");
  });

  test("shows old keys on their way out, drift, and what a take-over left undecided", async () => {
    const key = statusOf("a", {
      state: "failed",
      message: "the provider refused the new key",
      next: { at: NOW + 3_600_000, why: "retry" },
      drift: ["limit"],
      retiring: [{ hash: "cc".repeat(32), disabled: true, deleteAt: NOW + DAY, why: "replaced" }],
      undecided: [{ hash: "dd".repeat(32) }],
    });
    const text = textOf(await new PageWorld([key]).show());
    expect(text).toContain("Failed tried again in 1h the provider refused the new key");
    expect(text).toContain("cccccccccccc… disabled , to be deleted in 1d");
    expect(text).toContain("Differs from the policy: limit");
    expect(text).toContain("rotate sweep");
  });

  test("without a value, with instants that no calendar has, is shown all the same", async () => {
    const odd = { at: Number.MAX_VALUE, why: "schedule" as const };
    const world = new PageWorld([
      { key: "a", target: "t", provider: "p", state: "new", drift: [], retiring: [] },
      statusOf("b", { next: odd, current: { hash: "", fingerprint: "", since: Number.NaN } }),
    ]);
    expect(textOf(await world.show())).toContain("no key yet");
  });
});

describe("many keys", () => {
  const keys = Array.from({ length: 1_000 }, (_, n) =>
    statusOf(`key-${n}`, n === 777 ? { state: "held" } : {}),
  );
  const rows = (html: string) => [...html.matchAll(/id="row-([^"]+)"/g)].map(([, key]) => key);

  test("come in pages of a hundred, those that need a person first", async () => {
    const world = new PageWorld(keys);
    const first = await world.show("/");
    expect(rows(first).slice(0, 3)).toEqual(["key-777", "key-0", "key-1"]);
    expect(rows(first)).toHaveLength(100);
    expect(textOf(first)).toContain("Keys 1 to 100 of 1000");
    expect(rows(await world.show("/?page=10")).at(-1)).toBe("key-999");
    expect(rows(await world.show("/?page=99999"))).toEqual(rows(await world.show("/?page=10")));
    expect(first.length).toBeLessThan(300_000);
  });

  test("are found by a part of the name and by state, which links keep", async () => {
    const world = new PageWorld(keys);
    expect(rows(await world.show("/?q=KEY-77&state=held"))).toEqual(["key-777"]);
    expect(rows(await world.show("/?q=key-77"))).toHaveLength(11);
    expect(rows(await world.show("/?state=person"))).toEqual(["key-777"]);
    expect(await world.show("/?q=a%26b")).toContain('href="/?q=a%26b&amp;state=person"');
    expect(await world.show("/?q=%3Cscript%3E&state=__proto__&page=-1")).toContain('value="&lt;script&gt;"');
  });

  test("that all need a person are not all shown at length", async () => {
    const html = await new PageWorld(keys.map((key) => ({ ...key, state: "failed" as const }))).show();
    expect(html.match(/<article/g)).toHaveLength(20);
    expect(html).toContain("and 980 more in the list below");
  });

  test("due at once are drawn as a figure", async () => {
    expect(await new PageWorld(keys).show()).toMatch(/class="count"[^>]*>1000</);
  });
});

describe("the event log of a key", () => {
  test("is shown newest first, in pages", async () => {
    const world = new PageWorld([statusOf("payments-api")]);
    world.events = Array.from({ length: 120 }, (_, n) => eventOf(n));
    const seen = async (page: number) =>
      [...(await world.show(`/keys/payments-api?page=${page}`)).matchAll(/id="event-(\d+)"/g)].map(
        ([, seq]) => Number(seq),
      );
    expect([(await seen(1))[0], (await seen(1)).length]).toEqual([119, 50]);
    expect((await seen(3)).at(-1)).toBe(0);
    expect(await seen(4)).toEqual([]);
    expect(await world.show("/keys/payments-api")).toContain('href="/keys/payments-api?page=2"');
  });

  test("beyond the last page is the command's to tell", async () => {
    const world = new PageWorld([statusOf("payments-api")]);
    world.events = Array.from({ length: 2_000 }, (_, n) => eventOf(n));
    expect(textOf(await world.show("/keys/payments-api?page=500"))).toContain(
      "What is older: rotate history payments-api",
    );
  });

  test("of a key that the policy does not have is none", async () => {
    const answer = await new PageWorld([statusOf("a")]).page.show("/keys/b", new URLSearchParams());
    expect(answer?.status).toBe(404);
    expect(answer?.body).toContain("No such key");
  });
});

test("no text from outside can show a secret, become markup or hide anything", async () => {
  const evil = `<img src=x onerror=alert(1)> ${KEY} \u202egnp.exe \u0000`;
  const held = { reason: evil, message: evil, since: NOW, hint: evil };
  const rotation = rotating("a", {
    held,
    reason: evil,
    actor: evil,
    newLabel: evil,
    oldHash: evil,
    error: { code: evil, message: evil, hint: evil },
  });
  const world = new PageWorld([
    { ...rotation, target: evil, field: evil, provider: evil, message: evil, drift: [evil] },
    statusOf("b", {
      state: "failed",
      message: evil,
      undecided: [{ name: evil }],
      retiring: [{ hash: evil, label: evil, disabled: false, deleteAt: NOW, why: evil }],
    }),
  ]);
  world.worker = { ok: false, problems: [evil], warnings: [evil] };
  world.events = [eventOf(1, { key: "a", actor: evil, kind: evil, message: evil, rotation: evil })];
  world.page.onProgress({
    type: "consumers",
    key: "a",
    rotation: "b54b08b2e6647f2b",
    consumers: [
      consumerOf(evil, { problem: evil, instances: [{ instance: evil, verdict: "other", detail: evil }] }),
    ],
  });
  for (const html of [await world.show("/"), await world.show("/keys/a")]) {
    expect(html).not.toContain("<img");
    expect(html).not.toContain("0123456789abcdef0123");
    expect(html).not.toMatch(/[\0\u202e]/);
    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt; [secret] ⟨202E⟩gnp.exe");
  }
});
