import { describe, expect, test } from "vitest";
import { DAY, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

/** Everything that a plan must leave as it is. */
function everything(world: Scenario): string {
  const { documents, leases, requests, events } = world.journalState;
  return JSON.stringify([
    [...documents],
    [...leases],
    [...requests],
    events,
    [...world.backing],
    world.model.allKeys().map(({ hash, disabled }) => [hash, disabled]),
    world.revoked,
    world.payments.reloads,
    world.sent("POST").length,
  ]);
}

async function planOf(world: Scenario, requested?: "rotate") {
  const before = everything(world);
  const [plan] = await world.process().engine.plan(["payments-api"], requested ? { requested } : {});
  expect(everything(world)).toBe(before);
  if (plan === undefined) throw new Error("no plan");
  return { verb: plan.verb, why: plan.why, reasons: plan.steps.map((step) => step.reason), plan };
}

describe("plan changes nothing and says what a pass would do", () => {
  test("an empty store: PROVISION", async () => {
    const world = await scenario({ existing: false });
    const { verb, reasons } = await planOf(world);
    expect(verb).toBe("PROVISION");
    expect(reasons).toContain("create");
    expect(reasons).not.toContain("disable");
  });

  test("a value put there by a person: ADOPT", async () => {
    const { verb } = await planOf(await scenario());
    expect(verb).toBe("ADOPT");
  });

  test("nothing due: NOTHING, and when it will be", async () => {
    const world = await scenario();
    await world.process().once();
    const { verb, why } = await planOf(world);
    expect(verb).toBe("NOTHING");
    expect(why).toContain("2027-04-09");
  });

  test("due, or asked for: ROTATE, with every step to come", async () => {
    const world = await scenario({
      key: {
        consumers: [
          {
            name: "payments",
            probe: { http: "http://payments/healthz" },
            reload: { http: "http://payments/-/reload" },
          },
        ],
        retire: { after: "10m", watch: "1m", keepDisabledFor: "1d" },
      },
    });
    await world.process().once();
    expect((await planOf(world, "rotate")).verb).toBe("ROTATE");
    await world.clock.sleep(31 * DAY);
    const { verb, reasons } = await planOf(world);
    expect(verb).toBe("ROTATE");
    const order = [
      "create",
      "verified",
      "promote",
      "reload",
      "confirmed",
      "overlap",
      "disable",
      "watch",
      "retire-delete",
    ];
    expect(reasons.filter((reason) => order.includes(reason))).toEqual(order);
  });

  test("in flight: CONTINUE; held: BLOCKED with what for", async () => {
    const world = await scenario({ key: { confirm: { timeout: "5m", interval: "5s" } } });
    world.payments.stuck();
    await world.process().now({ within: MINUTE });
    expect((await planOf(world)).verb).toBe("CONTINUE");
    await world.process().once();
    const { verb, why } = await planOf(world);
    expect(verb).toBe("BLOCKED");
    expect(why).toContain("not confirmed in time");
  });

  test("an old key on its way out: RETIRE", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1d" } } });
    await world.process().now({ until: "completed" });
    await world.clock.sleep(2 * DAY);
    expect((await planOf(world)).verb).toBe("RETIRE");
  });

  test.each([
    ["a consumer that is down", (world: Scenario) => world.payments.instances.splice(0), "payments"],
    ["a provider that is down", (world: Scenario) => world.faults.add("*:500:all"), "HTTP 500"],
    [
      "a management key that is refused",
      (world: Scenario) => world.model.revokeManagementKey(world.managementKey),
      "management key",
    ],
  ] as const)("%s: BLOCKED", async (_, breakIt, says) => {
    const world = await scenario();
    await world.process().once();
    breakIt(world);
    const { verb, why } = await planOf(world, "rotate");
    expect(verb).toBe("BLOCKED");
    expect(why).toContain(says);
  });

  test("says what the policy's probes do not prove", async () => {
    const weak = await scenario({
      key: {
        consumers: [{ name: "payments", probe: { http: "http://payments/healthz", trustStatus: true } }],
      },
    });
    expect((await planOf(weak)).plan.warnings[0]).toContain("status alone");
  });
});

describe("status, from the journal alone", () => {
  test("new, ok, overdue and suspended", async () => {
    const world = await scenario();
    expect(await world.process().status()).toMatchObject({ state: "new", retiring: [] });
    await world.process().once();
    expect(await world.process().status()).toMatchObject({
      state: "ok",
      target: "local/payments",
      current: { hash: hashOf(world.current()) },
      next: { why: "schedule" },
    });
    await world.clock.sleep(32 * DAY);
    expect(await world.process().status()).toMatchObject({ state: "overdue" });
    world.setPolicy([{ ...world.key, suspend: true }]);
    expect(await world.process().status()).toMatchObject({ state: "suspended" });
  });

  test("rotating and held, with phase, hashes and what is waited for", async () => {
    const world = await scenario({ key: { confirm: { timeout: "5m", interval: "5s" } } });
    const first = hashOf(world.current());
    world.payments.stuck();
    await world.process().now({ within: MINUTE });
    const rotating = await world.process().status();
    expect(rotating).toMatchObject({
      state: "rotating",
      rotation: {
        phase: "promoted",
        direction: "forward",
        oldHash: first,
        newHash: hashOf(world.current()),
        actor: "test",
      },
    });
    expect(rotating.rotation?.waitingFor).toContain("payments");
    expect(rotating.rotation?.waitingUntil).toBe((rotating.rotation?.phaseAt ?? 0) + 5 * MINUTE);
    await world.process().once();
    expect(await world.process().status()).toMatchObject({
      state: "held",
      rotation: { held: { reason: "consumers-unconfirmed" } },
    });
  });

  test("a soaking key, until it is deleted", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1d" } } });
    const first = hashOf(world.current());
    const result = await world.process().now();
    expect(result).toMatchObject({ outcome: "completed", oldHash: first });
    const { retiring } = await world.process().status();
    expect(retiring).toMatchObject([{ hash: first, disabled: true, deleteAt: result.deleteAt }]);
    await world.clock.sleep(2 * DAY);
    await world.process().once();
    expect((await world.process().status()).retiring).toEqual([]);
  });

  test("looks at nothing: provider and store may be down", async () => {
    const world = await scenario();
    await world.process().once();
    const calls = world.model.requests.length;
    world.faults.add("*:500:all");
    expect(await world.process().status()).toMatchObject({ state: "ok" });
    expect(world.model.requests).toHaveLength(calls);
  });
});

describe("identify and history", () => {
  test("a key is named by its fingerprint while it lives and after it was deleted", async () => {
    const world = await scenario();
    const first = `sha256:${hashOf(world.current())}`;
    await world.process().now();
    const { engine } = world.process();
    expect(await engine.identify(`sha256:${hashOf(world.current())}`)).toMatchObject({
      key: "payments-api",
      state: "current",
    });
    expect(await engine.identify(first)).toMatchObject({ key: "payments-api", state: "deleted" });
    expect(await engine.identify(`sha256:${"0".repeat(64)}`)).toBeUndefined();
  });

  test("every step of a rotation is in the event log, with its id, reason and a sentence", async () => {
    const world = await scenario();
    const { rotation } = await world.process().now();
    const events = await world.process().engine.history({ rotation: rotation as string });
    expect(events.map((event) => event.kind)).toEqual([
      "start",
      "intend",
      "create-sent",
      "created",
      "staged",
      "verified",
      "promoted",
      "confirmed",
      "disable-sent",
      "disabled",
      "disabled",
      "completed",
    ]);
    for (const event of events)
      expect(event).toMatchObject({
        key: "payments-api",
        actor: "test",
        reason: expect.any(String),
        message: expect.any(String),
      });
  });

  test("no plaintext is in the journal, the log or the history", async () => {
    const world = await scenario({ faults: ["create:lost-reply", "update:500", "current:html-502"] });
    const first = world.current() as string;
    await world.process().now();
    const written = [
      ...world.journalState.documents.values(),
      ...world.journalState.events,
      ...world.logged,
    ].join();
    for (const secret of [first, world.current() as string, world.managementKey.reveal()])
      expect(written).not.toContain(secret);
  });
});

describe("a pass tells how each key came out", () => {
  test("completed when asked to stop there, deleted when asked to follow; idle when there was nothing to do", async () => {
    const world = await scenario();
    expect((await world.process().now({ until: "completed" })).outcome).toMatch(/completed|deleted/);
    await world.clock.sleep(1_000);
    expect(await world.process().now()).toMatchObject({ outcome: "deleted", tookMs: expect.any(Number) });
    await world.clock.sleep(1_000);
    expect(await world.process().once()).toMatchObject([{ outcome: "idle" }]);
  });

  test("waiting at the deadline, and upon a signal after the step in hand", async () => {
    const world = await scenario();
    world.payments.stuck();
    expect(await world.process().now({ within: 30_000 })).toMatchObject({
      outcome: "waiting",
      message: expect.stringContaining("promoted"),
    });
    const stop = new AbortController();
    const running = world.process().once({ signal: stop.signal });
    stop.abort();
    expect(await running).toMatchObject([
      { outcome: "waiting", message: expect.stringContaining("stopped") },
    ]);
  });

  test("a key that the policy does not have is a wrong usage", async () => {
    const world = await scenario();
    await expect(world.process().once({ keys: ["payment-api"] })).rejects.toMatchObject({ code: "usage" });
  });
});
