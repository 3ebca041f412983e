import { describe, expect, test } from "vitest";
import { RotationError } from "../../src/lib/errors.ts";
import { FIELD, HOUR, hashOf, MINUTE, type Scenario, scenario } from "./scenario.ts";

/** Lets a rotation run until a call begins, does something there, once, and goes on. */
function at(world: Scenario, call: string, act: () => void, when = () => true) {
  let done = false;
  return world.process({
    before: async (name) => {
      if (done || name !== call || !when()) return;
      done = true;
      act();
    },
  });
}

describe("R12: revoke distrusts", () => {
  const revoking = async (options: Parameters<typeof scenario>[0] = {}) => {
    const world = await scenario(options);
    world.revoking = true;
    return world;
  };

  test("everything issued until now is replaced and deleted, soaking keys too", async () => {
    const world = await revoking({ key: { retire: { watch: "1s", keepDisabledFor: "7d" } } });
    const first = hashOf(world.current());
    await world.process().now();
    const second = hashOf(world.current());
    expect(await world.process().ask("revoke")).toMatchObject({ outcome: "deleted", oldHash: second });
    const left = world.model.allKeys().map((key) => key.hash);
    expect(left).toEqual([hashOf(world.current())]);
    expect(left).not.toContain(first);
    expect(world.payments.serving()).toEqual([world.current()]);
  });

  test("the overlap, the windows and the soak of the policy do not hold a revocation up", async () => {
    const world = await revoking({
      key: {
        retire: { after: "12h", watch: "1s", keepDisabledFor: "7d" },
        windows: [{ kind: "deny", schedule: "0 0 * * *", duration: "23h" }],
      },
    });
    expect(await world.process().ask("revoke", { within: 10 * MINUTE })).toMatchObject({
      outcome: "deleted",
    });
  });

  test("a consumer that does not confirm is waited for until the timeout, and no longer", async () => {
    const world = await revoking();
    const first = hashOf(world.current()) as string;
    world.payments.stuck();
    expect(await world.process().ask("revoke", { within: 5 * MINUTE })).toMatchObject({ outcome: "waiting" });
    expect(world.model.key(first)?.disabled).toBe(false);
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "deleted" });
    expect(world.model.key(first)).toBeUndefined();
  });

  test("immediately: the old key is deleted before the new one is made", async () => {
    const world = await revoking();
    const first = hashOf(world.current());
    await world.process().ask("revoke", { immediately: true });
    const order = world.model.requests.filter(({ method }) => method === "DELETE" || method === "POST");
    expect(order.map(({ method }) => method)).toEqual(["DELETE", "POST"]);
    expect(world.model.allKeys().map((key) => key.hash)).not.toContain(first);
    expect(world.live()[0]).toMatchObject({ limit: 150, limitReset: "monthly" });
  });

  test("immediately, when a person has deleted the key already: a new one is made all the same", async () => {
    const world = await revoking();
    await world.process().once();
    world.model.delete(hashOf(world.current()) as string);
    expect(await world.process().ask("revoke", { immediately: true })).toMatchObject({ outcome: "deleted" });
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });

  test.each([
    ["create", "provider.send"],
    ["promotion", "store.promote"],
  ])("while a rotation is in flight, before its %s: both of its keys go", async (_, call) => {
    const world = await revoking();
    await world.process().once();
    const asked: Promise<unknown>[] = [];
    const process = at(world, call, () =>
      asked.push(world.process().engine.request("payments-api", { kind: "revoke", actor: "test" })),
    );
    await process.now();
    await Promise.all(asked);
    await world.process().once();
    expect(world.model.allKeys().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(await process.kinds()).toContain("distrust");
  });

  test("while a rotation is held", async () => {
    const world = await revoking();
    world.payments.stuck();
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    world.payments.stuck(false);
    expect(await world.process().ask("revoke")).toMatchObject({ outcome: "deleted" });
    expect(world.model.allKeys().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });

  test("a revocation is not rolled back", async () => {
    const world = await revoking();
    world.payments.stuck();
    await world.process().ask("revoke", { within: MINUTE });
    const promoted = world.current();
    await world.process().ask("rollback", { within: MINUTE });
    expect(world.current()).toBe(promoted);
    expect((await world.process().status()).rotation?.kind).toBe("revoke");
  });

  test("with the store down, the leaked key is replaced and deleted once it is back", async () => {
    const world = await revoking();
    await world.process().once();
    const leaked = hashOf(world.current()) as string;
    world.storeFails = new RotationError("unreachable", "the store is not there");
    await world.process().ask("revoke", { within: 5 * MINUTE });
    expect(world.sent("POST")).toHaveLength(0);
    world.calm();
    await world.process().once();
    expect(world.model.key(leaked)).toBeUndefined();
    expect(world.payments.serving()).toEqual([world.current()]);
  });
});

describe("R14: people come first", () => {
  test.each([
    ["before the create", "provider.send"],
    ["before the promotion", "store.promote"],
    ["after the promotion", "probe.send"],
  ])("current changed by someone %s: held, and neither key touched", async (moment, call) => {
    const world = await scenario();
    const other = world.byHand("theirs");
    const first = world.current();
    let sent = 0;
    const reached: Record<string, () => boolean> = {
      // The first call asks about the old key.
      "before the create": () => {
        sent += 1;
        return sent > 1;
      },
      "after the promotion": () => world.current() !== first,
    };
    const process = at(
      world,
      call,
      () => world.write({ ...world.file(), [FIELD]: other }),
      () => reached[moment]?.() ?? true,
    );
    await world.process().once();
    expect(await process.now()).toMatchObject({ outcome: "held" });
    expect((await process.status()).rotation?.held?.reason).toBe("foreign-current");
    expect(world.current()).toBe(other);
    expect(world.revoked).toEqual([]);
  });

  test("a foreign value put right again lets the rotation go on by itself", async () => {
    const world = await scenario();
    const first = world.current();
    const process = at(world, "store.promote", () =>
      world.write({ [FIELD]: world.byHand("theirs"), OTHER: "kept" }),
    );
    await process.now();
    world.write({ [FIELD]: first, OTHER: "put right" });
    const [result] = await world.process().once();
    expect(result).toMatchObject({ outcome: "deleted" });
    expect(world.file()).toMatchObject({ OTHER: "put right" });
    expect(world.live().map((key) => key.hash)).toContain(hashOf(world.current()));
  });

  test("approve keeps a foreign value: it is adopted, and our keys go once nobody uses them", async () => {
    const world = await scenario({ key: { schedule: { every: "1d" } } });
    const other = world.byHand("theirs");
    const process = at(world, "store.promote", () => world.write({ [FIELD]: other, OTHER: "kept" }));
    await process.now();
    await world.process().ask("approve");
    expect(world.current()).toBe(other);
    world.payments.settle();
    await world.clock.sleep(25 * HOUR);
    await world.process().once();
    await world.process().once();
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
    expect(world.violations).toEqual([]);
  });

  test("other fields that people edit at any moment are kept", async () => {
    for (let nth = 1; nth < 40; nth += 1) {
      const world = await scenario();
      let count = 0;
      const process = world.process({
        before: async (call) => {
          if (!call.startsWith("store.")) return;
          count += 1;
          if (count === nth) world.write({ ...world.file(), OTHER: `edit ${nth}` });
        },
      });
      const result = await process.now();
      if (count < nth) return expect(nth).toBeGreaterThan(10);
      expect(world.file().OTHER, `edit at store call ${nth}`).toBe(`edit ${nth}`);
      expect(result.outcome, `edit at store call ${nth}`).toBe("deleted");
      expect(world.payments.serving()).toEqual([world.current()]);
    }
  });

  test("the old value can be put back although other fields were edited before and during the rotation", async () => {
    const world = await scenario({
      key: { confirm: { timeout: "5s", interval: "5s", onTimeout: "rollback" } },
    });
    await world.process().once();
    const first = world.current();
    world.write({ ...world.file(), OTHER: "before" });
    world.payments.stuck();
    const process = at(world, "store.stage", () => world.write({ ...world.file(), OTHER: "during" }));
    expect(await process.now()).toMatchObject({ outcome: "reverted" });
    expect(world.file()).toEqual({ [FIELD]: first, OTHER: "during" });
  });

  test("a consumer that relapses starts the count again", async () => {
    const world = await scenario({
      key: { confirm: { timeout: "10m", interval: "5s", successThreshold: 5 } },
    });
    await world.process().once();
    const first = world.current() as string;
    let sweeps = 0;
    const process = world.process({
      before: async (call) => {
        if (call !== "probe.send" || world.current() === first) return;
        sweeps += 1;
        if (sweeps === 7) for (const one of world.payments.instances) one.serving = first;
      },
    });
    await process.now();
    expect(sweeps).toBeGreaterThan(11);
    expect(world.violations).toEqual([]);
  });

  test("what was typed while a worker holds the lease is taken up by the worker", async () => {
    const world = await scenario();
    world.payments.stuck();
    const worker = world.process().now();
    await world.clock.sleep(MINUTE);
    const terminal = world.process();
    const asked = terminal.ask("rollback");
    world.payments.stuck(false);
    world.payments.settle();
    expect((await asked).outcome).toBe("reverted");
    expect((await worker).outcome).toBe("reverted");
    expect(world.live().map((key) => key.hash)).toEqual([hashOf(world.current())]);
  });

  test("approve and rollback with nothing to approve or roll back are refused, with why", async () => {
    const world = await scenario();
    await world.process().once();
    expect(await world.process().ask("approve")).toMatchObject({
      outcome: "failed",
      message: expect.stringContaining("nothing is held"),
    });
    expect(await world.process().ask("rollback")).toMatchObject({
      outcome: "failed",
      message: expect.stringContaining("nothing to roll back"),
    });
  });
});
