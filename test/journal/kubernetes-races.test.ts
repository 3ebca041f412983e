import { beforeEach, describe, expect, test } from "vitest";
import { leaseState } from "../../src/journal/kubernetes/lease.ts";
import { EVENTS, type KubeObject, LEASES } from "../../src/kubernetes/api.ts";
import {
  landsLate,
  lostAnswer,
  lostRace,
  serverError,
  tooManyRequests,
  unreachable,
} from "../kubernetes/model/faults.ts";
import { documentWith, eventOf, requestOf } from "./content.ts";
import { CONFIG, JournalBench, take } from "./kubernetes-bench.ts";

const T = "cluster/payments";
const U = "cluster/billing";
const TTL = 60_000;
const HOUR = 3_600_000;

let bench: JournalBench;
beforeEach(() => {
  bench = new JournalBench();
});

/** A clock that is ahead of the API server's by so much, or behind. */
const clockOff = (ms: number) => ({ ...bench.clock, now: () => bench.clock.now() + ms });

describe("two processes on one journal", () => {
  test.each([5 * HOUR, -5 * HOUR, 90_000])(
    "whose clocks differ by %i ms agree on when a lease has run out",
    async (ms) => {
      const right = await bench.open();
      const wrong = await bench.open({ clock: clockOff(ms) });
      const lease = await take(wrong, T);
      const { until } = leaseState(bench.lease(T));
      expect(Math.abs(until - (bench.clock.now() + TTL))).toBeLessThan(2_000);
      bench.clock.advance(TTL - 2_000);
      expect(await right.acquire(T, TTL)).toBeUndefined();
      await wrong.renew(lease, TTL);
      bench.clock.advance(TTL - 2_000);
      expect(await right.acquire(T, TTL)).toBeUndefined();
      bench.clock.advance(4_000);
      expect(await right.acquire(T, TTL)).toMatchObject({ epoch: 2 });
      expect(await wrong.acquire(T, TTL)).toBeUndefined();
    },
  );

  test("that both begin it have the same journal", async () => {
    const [one, two] = await Promise.all([bench.open(), bench.open()]);
    expect(one.id).toBe(two.id);
    await one.commit(await take(one, T), { document: documentWith("h1"), events: [] });
    expect((await two.read(T)).document).toEqual(documentWith("h1"));
  });

  test("never hold one lease at once, and every commit that returned is there, whatever the order of their calls", async () => {
    const workers = [await bench.open(), await bench.open(), await bench.open()];
    const hashes = new Set<string>();
    let holders = 0;
    const work = async (index: number) => {
      for (let turn = 0; turn < 12; turn += 1) {
        const journal = workers[index];
        const lease = await journal?.acquire(T, TTL);
        if (journal === undefined || lease === undefined) continue;
        expect(++holders).toBe(1);
        const hash = `h${index}-${turn}`;
        hashes.add(hash);
        await journal.commit(lease, { document: documentWith(...hashes), events: [eventOf(hash)] });
        holders -= 1;
        await journal.release(lease);
      }
    };
    await Promise.all([work(0), work(1), work(2)]);
    const { document } = (await workers[0]?.read(T)) ?? {};
    expect(new Set(Object.keys(document?.issued ?? {}))).toEqual(hashes);
    const kinds = (await workers[0]?.history({}))?.map(({ kind }) => kind) ?? [];
    expect(new Set(kinds)).toEqual(hashes);
    expect(kinds).toHaveLength(hashes.size);
    expect(hashes.size).toBeGreaterThan(1);
  });

  test("claim a hash at the same time: one of the two gets it", async () => {
    const [one, two] = [await bench.open(), await bench.open()];
    const leases = [await take(one, T), await take(two, U)] as const;
    const outcomes = await Promise.allSettled([
      one.commit(leases[0], { document: documentWith("h1"), events: [] }),
      two.commit(leases[1], { document: documentWith("h1"), events: [] }),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const held = (await one.all()).flatMap((entry) =>
      "document" in entry ? Object.keys(entry.document.issued) : [],
    );
    expect(held).toEqual(["h1"]);
  });
});

describe("a hash that a commit under way has claimed", () => {
  const entryOf = (target: string) => ({
    verb: "update",
    name: bench.configMap(target)?.metadata.name ?? "",
  });
  const holders = async () => {
    const entries = await (await bench.open()).all();
    return entries.flatMap((entry) =>
      "document" in entry && entry.document.issued.h1 !== undefined ? [entry.target] : [],
    );
  };

  test("may be had by another target, and then that commit fails", async () => {
    const [one, two] = [await bench.open(), await bench.open()];
    const leases = [await take(one, T), await take(two, U)] as const;
    await one.commit(leases[0], { document: documentWith(), events: [] });
    const held = bench.hold(entryOf(T));
    const first = one.commit(leases[0], { document: documentWith("h1"), events: [] });
    await held.reached;
    expect(await two.ownerOf("h1")).toBeUndefined();
    await two.commit(leases[1], { document: documentWith("h1"), events: [] });
    held.letGo();
    await expect(first).rejects.toMatchObject({ code: "conflict" });
    expect(await holders()).toEqual([U]);
    expect(await one.ownerOf("h1")).toBe(U);
  });

  test("stays that commit's when it ends before the other's claim is written", async () => {
    const [one, two] = [await bench.open(), await bench.open()];
    const leases = [await take(one, T), await take(two, U)] as const;
    await one.commit(leases[0], { document: documentWith(), events: [] });
    await two.commit(leases[1], { document: documentWith(), events: [] });
    const entry = bench.hold(entryOf(T));
    const first = one.commit(leases[0], { document: documentWith("h1"), events: [] });
    await entry.reached;
    const root = bench.hold({ verb: "update", name: "keyturn" });
    const second = two.commit(leases[1], { document: documentWith("h1"), events: [] });
    await root.reached;
    entry.letGo();
    await first;
    root.letGo();
    await expect(second).rejects.toMatchObject({ code: "conflict" });
    expect(await holders()).toEqual([T]);
  });

  test("takes nothing from what another holder of its target has claimed since", async () => {
    const [paused, other] = [await bench.open(), await bench.open()];
    const lease = await take(paused, T);
    await paused.commit(lease, { document: documentWith("h1"), events: [] });
    const held = bench.hold({ verb: "update", name: CONFIG.name });
    const late = paused.commit(lease, { document: documentWith("h1", "h9"), events: [] });
    await held.reached;
    bench.clock.advance(TTL);
    await other.commit(await take(other, T), { document: documentWith("h1", "h2"), events: [] });
    held.letGo();
    await expect(late).rejects.toMatchObject({ code: "busy" });
    expect(await other.ownerOf("h2")).toBe(T);
    const rival = other.commit(await take(other, U), { document: documentWith("h2"), events: [] });
    await expect(rival).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("a worker that was paused", () => {
  test("writes nothing any more when its commit arrives after somebody took over", async () => {
    const [paused, other] = [await bench.open(), await bench.open()];
    const lease = await take(paused, T);
    await paused.commit(lease, { document: documentWith("h1"), events: [eventOf("one")] });
    const held = bench.hold({ verb: "update", name: bench.configMap(T)?.metadata.name ?? "" });
    const commit = paused.commit(lease, { document: documentWith("h9"), events: [eventOf("late")] });
    await held.reached;
    bench.clock.advance(TTL);
    const taken = await take(other, T);
    held.letGo();
    await expect(commit).rejects.toMatchObject({ code: "busy" });
    expect((await other.read(T)).document).toEqual(documentWith("h1"));
    expect((await other.history({})).map(({ kind }) => kind)).toEqual(["one"]);
    expect(await other.ownerOf("h9")).toBeUndefined();
    await other.commit(taken, { document: documentWith("h1", "h2"), events: [] });
  });

  test("between taking the lease and writing its epoch: it does not get the lease that another has by now", async () => {
    const [paused, other] = [await bench.open(), await bench.open()];
    const held = bench.hold({ verb: "create", resource: "configmaps" });
    const asked = paused.acquire(T, TTL);
    await held.reached;
    bench.clock.advance(TTL);
    const taken = await take(other, T);
    await other.commit(taken, { document: documentWith("h1"), events: [] });
    held.letGo();
    expect(await asked).toBeUndefined();
    await other.commit(taken, { document: documentWith("h2"), events: [] });
  });
});

describe("a lease", () => {
  test("of an evicted pod is free at once", async () => {
    const { journal, pod } = await bench.process();
    await take(journal, T);
    bench.evict(pod);
    expect(await take(await bench.open(), T)).toMatchObject({ epoch: 2 });
  });

  test("of a pod whose name another pod has by now is free at once", async () => {
    const { journal, pod } = await bench.process();
    await take(journal, T);
    bench.replacePod(pod);
    expect(await take(await bench.open(), T)).toMatchObject({ epoch: 2 });
  });

  test("of a pod that is gone runs out by itself where pods may not be looked at", async () => {
    bench.model.deny({ resources: ["pods"], verbs: ["*"] });
    const { journal, pod } = await bench.process();
    await take(journal, T);
    bench.removePod(pod);
    const other = await bench.open();
    expect(await other.acquire(T, TTL)).toBeUndefined();
    bench.clock.advance(TTL);
    expect(await take(other, T)).toMatchObject({ epoch: 2 });
    expect(bench.warned).toEqual([]);
  });

  test("of a process outside the cluster is never taken for a pod's that is gone", async () => {
    const { journal, pod } = await bench.process({ inPod: false });
    await take(journal, T);
    bench.removePod(pod);
    expect(await (await bench.open()).acquire(T, TTL)).toBeUndefined();
  });

  test("whose object was deleted begins no epoch anew", async () => {
    const journal = await bench.open();
    const lost = await take(journal, T);
    await journal.commit(lost, { document: documentWith("h1"), events: [] });
    bench.removeLease(T);
    await expect(journal.renew(lost, TTL)).rejects.toMatchObject({ code: "busy" });
    const other = await bench.open();
    expect(await take(other, T)).toMatchObject({ epoch: 2 });
    await expect(journal.commit(lost, { document: documentWith("h9"), events: [] })).rejects.toMatchObject({
      code: "busy",
    });
  });

  test("is a Lease that kubectl shows: holder, duration, times and transitions", async () => {
    const { journal, pod } = await bench.process();
    const lease = await take(journal, T, 60_000);
    expect(bench.lease(T)).toMatchObject({
      metadata: { annotations: { "keyturn.dev/target": T } },
      spec: {
        holderIdentity: expect.stringContaining(`shop/${pod}/`),
        leaseDurationSeconds: 60,
        acquireTime: "2026-11-21T03:15:00.000000Z",
        renewTime: "2026-11-21T03:15:00.000000Z",
        leaseTransitions: 1,
      },
    });
    await journal.release(lease);
    expect(bench.lease(T)?.spec).toMatchObject({ leaseTransitions: 1 });
    expect(bench.lease(T)?.spec?.holderIdentity ?? "").toBe("");
  });

  test("that another takes in the very moment is not ours", async () => {
    const [one, two] = [await bench.open(), await bench.open()];
    bench.model.once({ verb: "create", resource: LEASES.plural }, async (proceed) => {
      await take(two, T);
      return proceed();
    });
    expect(await one.acquire(T, TTL)).toBeUndefined();
  });
});

describe("weather", () => {
  const maps = { verb: "update", resource: "configmaps" };

  test("a commit whose answer was lost is done once", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    bench.model.once({ ...maps, name: bench.configMap(T)?.metadata.name ?? "" }, lostAnswer);
    await journal.commit(lease, { document: documentWith("h1"), events: [eventOf("made")] });
    expect((await journal.history({})).map(({ kind }) => kind)).toEqual(["made"]);
    expect((await journal.read(T)).document).toEqual(documentWith("h1"));
  });

  test("a commit whose lost write lands late is done once", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    bench.model.once({ ...maps, name: bench.configMap(T)?.metadata.name ?? "" }, landsLate(bench.model, 100));
    await journal.commit(lease, { document: documentWith("h1"), events: [eventOf("made")] });
    expect((await journal.history({})).map(({ kind }) => kind)).toEqual(["made"]);
  });

  test("a request whose answer was lost, and that was answered meanwhile, is not made again", async () => {
    const [person, worker] = [await bench.open(), await bench.open()];
    const lease = await take(worker, T);
    await worker.commit(lease, { document: documentWith("h1"), events: [] });
    bench.model.once({ ...maps, name: bench.configMap(T)?.metadata.name ?? "" }, async (proceed, call) => {
      await proceed();
      await worker.commit(lease, { document: documentWith("h1"), events: [], requestsDone: ["q1"] });
      return lostAnswer(() => ({ status: 0, body: undefined, headers: {} }), call);
    });
    await person.request(requestOf("q1", T), eventOf("requested"));
    expect((await worker.read(T)).requests).toEqual([]);
    expect((await worker.history({})).map(({ kind }) => kind)).toEqual(["requested"]);
  });

  test.each([
    ["refused over and over because of other writers", lostRace],
    ["throttled", tooManyRequests(1)],
    ["failing", serverError],
    ["not reached", unreachable],
  ])("a commit that is %s for a while is made in the end", async (_, effect) => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    bench.model.once(maps, effect, 4);
    await journal.commit(lease, { document: documentWith("h1"), events: [eventOf("made")] });
    expect((await journal.read(T)).document).toEqual(documentWith("h1"));
    expect(await journal.history({})).toHaveLength(1);
  });

  test("a storm of other writers without end is said, and nothing was written", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    const calm = bench.model.interpose((call, proceed) =>
      call.verb === "update" ? lostRace(proceed, call) : proceed(),
    );
    const commit = journal.commit(lease, { document: documentWith("h1"), events: [eventOf("made")] });
    await expect(commit).rejects.toMatchObject({
      code: "busy",
      message: expect.stringContaining("ConfigMap"),
    });
    calm();
    expect(await journal.history({})).toEqual([]);
    await journal.commit(lease, { document: documentWith("h1"), events: [] });
  });

  test("an API server that is away is said within a lease's time", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    const began = bench.clock.now();
    const back = bench.model.interpose((call, proceed) => unreachable(proceed, call));
    await expect(journal.commit(lease, { document: documentWith("h1"), events: [] })).rejects.toMatchObject({
      code: "unreachable",
    });
    expect(bench.clock.now() - began).toBeLessThan(TTL / 2);
    back();
    await journal.commit(lease, { document: documentWith("h1"), events: [] });
  });

  test("a commit without an answer is not said to be undone when the API server then cannot be reached", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    bench.model.once({ ...maps, name: bench.configMap(T)?.metadata.name ?? "" }, async (proceed, call) => {
      bench.model.interpose(() => unreachable(proceed, call));
      return lostAnswer(proceed, call);
    });
    const commit = journal.commit(lease, { document: documentWith("h1"), events: [] });
    await expect(commit).rejects.toMatchObject({ code: "unclear" });
  });

  test("requests that arrive while the holder commits lose nothing", async () => {
    const [worker, person] = [await bench.open(), await bench.open()];
    const lease = await take(worker, T);
    const asks = Array.from({ length: 8 }, (_, n) =>
      person.request(requestOf(`q${n}`, T), eventOf(`asked ${n}`)),
    );
    for (let n = 0; n < 5; n += 1)
      await worker.commit(lease, { document: documentWith(`h${n}`), events: [eventOf(`commit ${n}`)] });
    await Promise.all(asks);
    expect((await worker.read(T)).requests).toHaveLength(8);
    expect((await worker.read(T)).document).toEqual(documentWith("h4"));
    expect(await worker.history({})).toHaveLength(13);
  });
});

describe("Kubernetes Events", () => {
  const shown = () => bench.model.all<KubeObject>(EVENTS, "shop");

  test("show what the journal logs, each once, on the ConfigMap of the target", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    await journal.commit(lease, {
      document: documentWith("h1"),
      events: [eventOf("promoted", { reason: "all-verified" }), eventOf("hold", { reason: "timeout" })],
    });
    await journal.close();
    expect(shown()).toMatchObject([
      {
        type: "Normal",
        reason: "AllVerified",
        action: "Promoted",
        message: "it was promoted",
        involvedObject: {
          kind: "ConfigMap",
          name: bench.configMap(T)?.metadata.name,
          uid: bench.configMap(T)?.metadata.uid,
        },
      },
      { type: "Warning", reason: "Timeout", action: "Hold" },
    ]);
  });

  test("that may not be made are said once in the log, and hinder nothing", async () => {
    bench.model.deny({ resources: ["events"], verbs: ["create"] });
    const journal = await bench.open();
    const lease = await take(journal, T);
    for (const kind of ["one", "two", "three"])
      await journal.commit(lease, { document: documentWith("h1"), events: [eventOf(kind)] });
    await journal.close();
    expect(bench.warned).toEqual([expect.stringContaining("not shown as Kubernetes Events")]);
    expect(shown()).toEqual([]);
  });

  test("that are never answered hold up neither a commit nor the end", async () => {
    bench.model.interpose((call, proceed) =>
      call.resource === "events" ? new Promise<never>(() => {}) : proceed(),
    );
    const journal = await bench.open();
    const lease = await take(journal, T);
    await journal.commit(lease, { document: documentWith("h1"), events: [eventOf("one")] });
    await journal.close();
  });
});
