import { describe, expect, test } from "vitest";
import { HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

const creates = (world: Scenario) => world.sent("POST").length;
const intended = (world: Scenario) => world.model.allKeys().filter((key) => key.name.startsWith("keyturn/"));

/** One live key, current and served with, and nothing of ours beside it. */
function expectGoodEnd(world: Scenario): void {
  expect(world.model.allKeys().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  expect(world.payments.serving()).toEqual([world.current()]);
  expect(world.violations).toEqual([]);
}

describe("R7 and R8: a create without a reply", () => {
  test.each([
    "lost-reply",
    "reset",
    "timeout",
    "truncated",
    "wrong-body",
    "not-json",
    "endless",
    "twice",
    "redirect",
    "500",
    "html-502",
    "done-500",
    "done-409",
  ])("%s: what was made is found and deleted, and a key made under a new name", async (fault) => {
    const world = await scenario({ faults: [`create:${fault}`] });
    const names = new Set<string>();
    const process = world.process({
      before: async (call, [request]) => {
        const { method, body = "{}" } = (request ?? {}) as { method?: string; body?: string };
        if (call !== "provider.send" || method !== "POST") return;
        const { name } = JSON.parse(body) as { name: string };
        expect(names.has(name)).toBe(false);
        names.add(name);
      },
    });
    const result = await process.now();
    await world.clock.sleep(2 * HOUR);
    await process.once();
    expect(creates(world)).toBe(names.size);
    expect(["deleted", "failed"]).toContain(result.outcome);
    expectGoodEnd(world);
  });

  test.each(["429", "429-retry-after-5"])(
    "%s: nothing was made, and the same name is asked for again",
    async (fault) => {
      const world = await scenario({ faults: [`create:${fault}`] });
      expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
      expect(await world.process().kinds()).toContain("create-not-sent");
      expectGoodEnd(world);
    },
  );

  test("a key that appears after its search was given up is deleted by the walk after the rotation", async () => {
    const world = await scenario({ faults: ["create:late"], key: { retire: { watch: "30s" } } });
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    await world.process().once();
    expectGoodEnd(world);
  });

  test("a key that the list shows late is deleted by the walk after a later rotation", async () => {
    const world = await scenario({ faults: ["create:lost-reply"] });
    world.model.knobs.listDelay = 30 * MINUTE;
    await world.process().now();
    expect(intended(world)).toHaveLength(2);
    world.model.knobs.listDelay = 0;
    await world.clock.sleep(HOUR);
    await world.process().now();
    expectGoodEnd(world);
  });

  test("a list that goes on showing deleted keys does not keep a pass busy", async () => {
    const world = await scenario();
    await world.process().now();
    world.model.knobs.listDelay = 10 * MINUTE;
    await world.clock.sleep(20 * MINUTE);
    const before = world.model.requests.length;
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expect(world.model.requests.length - before).toBeLessThan(40);
    expectGoodEnd(world);
  });

  test("after three creates without a trace it holds; approve tries again", async () => {
    const world = await scenario({ faults: ["create:reset:3"] });
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    expect(creates(world)).toBe(3);
    expect((await world.process().status()).rotation?.held?.reason).toBe("create-unresolved");
    expect(await world.process().once()).toMatchObject([{ outcome: "held" }]);
    expect(creates(world)).toBe(3);
    expect(await world.process().ask("approve")).toMatchObject({ outcome: "deleted" });
    expect(creates(world)).toBe(4);
    expectGoodEnd(world);
  });

  test("after an approval three more creates may fail before it holds again", async () => {
    const world = await scenario({ faults: ["create:reset:all"] });
    await world.process().now();
    expect(await world.process().ask("approve")).toMatchObject({ outcome: "held" });
    expect(creates(world)).toBe(6);
  });

  test.each(["400", "402", "403", "401"])(
    "%s: refused for certain, it fails and is tried again after the backoff",
    async (fault) => {
      const world = await scenario({ faults: [`create:${fault}`] });
      expect(await world.process().now()).toMatchObject({ outcome: "failed" });
      expect(await world.process().status()).toMatchObject({ state: "failed", next: { why: "retry" } });
      await world.clock.sleep(HOUR);
      await world.process().once();
      expect(creates(world)).toBe(2);
      expectGoodEnd(world);
    },
  );
});

describe("R7: absence needs proof", () => {
  test.each([
    "delete:lost-reply",
    "delete:done-500",
    "delete:html-502:2",
    "delete:truncated",
    "update:lost-reply",
    "update:500:2",
  ])("%s: repeated until it is known to have happened", async (fault) => {
    const world = await scenario({ faults: [fault] });
    expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
    expectGoodEnd(world);
  });

  test("a key that a person has deleted counts as deleted, because the same credential sees the current one", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
    const { oldHash } = await world.process().now();
    world.model.delete(oldHash as string);
    await world.clock.sleep(2 * HOUR);
    await world.process().once();
    expect((await world.process().status()).retiring).toEqual([]);
    expectGoodEnd(world);
  });

  test("a 404 with the management key of another account proves nothing", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1h" } } });
    await world.process().now();
    const right = world.managementKey;
    world.managementKey = world.model.addManagementKey(undefined, "another account");
    await world.clock.sleep(2 * HOUR);
    await world.process().once({ within: 10 * MINUTE });
    expect((await world.process().status()).retiring).toHaveLength(1);
    world.managementKey = right;
    await world.process().once();
    expect((await world.process().status()).retiring).toEqual([]);
    expectGoodEnd(world);
  });

  test("a key that the provider accepts is not gone, whatever a management key of another account is told", async () => {
    const world = await scenario();
    const first = world.current() as string;
    const process = world.process({
      before: async (call, args) => {
        // The new key is made in the other account, which then knows the current key and not the old one.
        if (call === "provider.send" && (args[0] as { method: string }).method === "POST")
          world.managementKey = world.model.addManagementKey(undefined, "another account");
      },
    });
    expect(await process.now({ within: 10 * MINUTE })).not.toMatchObject({ outcome: "deleted" });
    expect(world.model.accepted(first)).toBeDefined();
    expect(JSON.stringify([...world.backing.values()])).toContain(first);
    expect(await process.kinds()).not.toContain("completed");
  });

  test("a retirement that cannot end does not keep the next rotation from starting", async () => {
    const world = await scenario({
      key: { schedule: { every: "1d" }, retire: { watch: "1s", keepDisabledFor: "1h" } },
    });
    const { newHash } = await world.process().now();
    await world.clock.sleep(24 * HOUR);
    world.faults.add("delete:500:all");
    await world.process().once({ until: "completed" });
    expect(hashOf(world.current())).not.toBe(newHash);
    expect(world.violations).toEqual([]);
  });

  test("an old key that a person has deleted does not stop a relapse from being waited out", async () => {
    const world = await scenario({ key: { retire: { watch: "5m" } } });
    const first = world.current() as string;
    const following = world.process().now();
    await world.clock.sleep(MINUTE);
    world.model.delete(hashOf(first) as string);
    world.payments.body = '{"status":"error"}';
    await world.clock.sleep(MINUTE);
    world.payments.body = undefined;
    expect(await following).toMatchObject({ outcome: "deleted" });
  });
});

describe("R6: ours by identity, never by age", () => {
  test("look-alike names and older keys of other people are never touched", async () => {
    const world = await scenario();
    const others = [
      "keyturn/test/payments-api/2027-03-10/0123456789ab",
      "keyturn/other/payments-api/2020-01-01/0123456789ab",
      "made by hand",
      "payments-api",
    ].map((name) => hashOf(world.byHand(name)) as string);
    await world.process().now();
    await world.process().now();
    expect(
      world.model
        .allKeys()
        .map((key) => key.hash)
        .sort(),
    ).toEqual([...others, hashOf(world.current())].sort());
    expect(world.revoked.some((call) => others.some((hash) => call.endsWith(hash)))).toBe(false);
  });

  test("names are readable: installation, key, date, and a random id", async () => {
    const world = await scenario({ installation: "prod-eu" });
    await world.process().now();
    expect(world.live()[0]?.name).toMatch(/^keyturn\/prod-eu\/payments-api\/2027-03-10\/[0-9a-f]{12}$/);
  });
});
