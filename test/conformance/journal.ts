import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  emptyDocument,
  type IssuedRecord,
  type NewEvent,
  type NoticeRecord,
  type RequestRecord,
  type TargetDocument,
} from "../../src/journal/document.ts";
import { type Journal, type Lease, undamaged } from "../../src/journal/journal.ts";
import type { RotationError } from "../../src/lib/errors.ts";
import { noticeOf } from "../journal/content.ts";

/** One journal, as several processes may open it. */
export interface JournalWorld {
  /** Starts at 2026-11-21T03:15:00Z and moves only when told to. */
  clock: { now(): number; advance(ms: number): void };
  /** Opens the journal as one more process would. */
  open(): Promise<Journal>;
  /** Lets a process take the lease of `target` for `ttlMs` and die without a word. */
  dieHolding(target: string, ttlMs: number): Promise<void>;
  /** Puts `text` where the document of a target that was written is kept. */
  overwrite(target: string, text: string): Promise<void>;
  dispose(): Promise<void>;
}

const T = "file:/secrets|payments";
const U = "file:/secrets|billing";
const TTL = 60_000;

/** The contract of Journal; every implementation runs it. */
export function describeJournal(name: string, make: () => Promise<JournalWorld>): void {
  describe(`${name}: the contract of a journal`, () => {
    let world: JournalWorld;
    let journal: Journal;
    let other: Journal;

    beforeEach(async () => {
      world = await make();
      [journal, other] = [await world.open(), await world.open()];
    });
    afterEach(async () => {
      await Promise.all([journal.close(), other.close()]);
      await world.dispose();
    });

    const take = async (from: Journal, target = T): Promise<Lease> => {
      const lease = await from.acquire(target, TTL);
      if (lease === undefined) throw new Error(`no lease of ${target}`);
      return lease;
    };
    const event = (kind: string, more: Partial<NewEvent> = {}): NewEvent => ({
      at: world.clock.now(),
      key: "payments-api",
      actor: "schedule",
      kind,
      reason: "due",
      message: `it was ${kind}`,
      ...more,
    });
    const request = (id: string, target = T): RequestRecord => ({
      id,
      target,
      field: "",
      kind: "approve",
      actor: "ann@desk",
      at: world.clock.now(),
    });

    describe("what it holds", () => {
      test("a target never written reads as an empty document of which nothing is asked", async () => {
        expect(await journal.read(T)).toEqual({ target: T, document: emptyDocument(), requests: [] });
        expect(await journal.all()).toEqual([]);
      });

      test("a committed document is read back equal by another process", async () => {
        const document = documentWith("h1");
        document.keys[""] = {
          name: "payments-api",
          provider: "openrouter",
          due: { at: 5, basis: "b", why: "schedule" },
        };
        await journal.commit(await take(journal), { document, events: [] });
        expect((await other.read(T)).document).toEqual(document);
      });

      test("what is read or written is a copy, not a shared object", async () => {
        const document = documentWith("h1");
        await journal.commit(await take(journal), { document, events: [] });
        Object.assign(document.issued.h1 ?? {}, { field: "changed by the writer" });
        const read = (await journal.read(T)).document.issued.h1 ?? {};
        // A journal may hand out what cannot be changed.
        if (!Object.isFrozen(read)) Object.assign(read, { field: "changed by a reader" });
        expect((await journal.read(T)).document.issued.h1?.field).toBe("");
      });

      test("all shows every target ever written, and none that was only leased", async () => {
        await journal.commit(await take(journal), { document: documentWith("h1"), events: [] });
        await take(journal, U);
        expect(await other.all()).toEqual([{ target: T, document: documentWith("h1") }]);
      });

      test("each shows what all shows, and both whether a target is asked for something", async () => {
        await journal.commit(await take(journal), { document: documentWith("h1"), events: [] });
        await journal.commit(await take(journal, U), { document: documentWith("h2"), events: [] });
        await journal.request(request("r1", U), event("requested"));
        const shown: unknown[] = [];
        await other.each((entry) => shown.push(entry));
        expect(shown).toEqual(await other.all());
        expect(shown).toHaveLength(2);
        expect(shown).toContainEqual({ target: T, document: documentWith("h1") });
        expect(shown).toContainEqual({ target: U, document: documentWith("h2"), asked: true });
      });

      test.each([
        ["damaged", "unusable", '{"version":1,"keys":{},'],
        ["of a newer version", "newer-version", '{"version":2}'],
      ])(
        "a document that is %s is refused by its target's name, and hides no other target",
        async (_, code, text) => {
          await journal.commit(await take(journal), { document: documentWith("h1"), events: [] });
          await journal.commit(await take(journal, U), { document: documentWith("h2"), events: [] });
          await world.overwrite(T, text);
          const refusal = { code, message: expect.stringContaining(T) };
          await expect(other.read(T)).rejects.toMatchObject(refusal);
          const entries = (await other.all()).toSorted((a, b) => (a.target < b.target ? 1 : -1));
          expect(entries).toMatchObject([
            { target: T, error: refusal },
            { target: U, document: documentWith("h2") },
          ]);
          expect(await other.ownerOf("h1")).toBe(T);
          expect(() => undamaged(entries)).toThrow(expect.objectContaining(refusal));
          expect(undamaged(entries.slice(1))).toEqual(entries.slice(1));
        },
      );

      test("the id stays the same when the journal is opened again", async () => {
        expect(journal.id).toMatch(/^[0-9a-f]{32}$/);
        expect(other.id).toBe(journal.id);
        await Promise.all([journal.close(), other.close()]);
        journal = await world.open();
        expect(journal.id).toBe(other.id);
      });
    });

    describe("hashes", () => {
      test("a hash is owned by the target that issued it, until its document drops it", async () => {
        const lease = await take(journal);
        await journal.commit(lease, { document: documentWith("h1", "h2"), events: [] });
        expect([await other.ownerOf("h1"), await other.ownerOf("h2"), await other.ownerOf("h3")]).toEqual([
          T,
          T,
          undefined,
        ]);
        await journal.commit(lease, { document: documentWith("h2"), events: [] });
        expect([await other.ownerOf("h1"), await other.ownerOf("h2")]).toEqual([undefined, T]);
      });

      test("a hash of another target is refused, and nothing of that commit is kept", async () => {
        await journal.commit(await take(journal), { document: documentWith("h1"), events: [] });
        const lease = await take(journal, U);
        const attempt = journal.commit(lease, {
          document: documentWith("h0", "h1"),
          events: [event("adopted")],
        });
        await expect(attempt).rejects.toMatchObject({ code: "conflict" });
        expect((await journal.read(U)).document).toEqual(emptyDocument());
        expect(await journal.ownerOf("h0")).toBeUndefined();
        expect(await journal.history({})).toEqual([]);
      });

      test("a hash that was dropped may go to another target", async () => {
        const lease = await take(journal);
        await journal.commit(lease, { document: documentWith("h1"), events: [] });
        await journal.commit(lease, { document: emptyDocument(), events: [] });
        await journal.commit(await take(journal, U), { document: documentWith("h1"), events: [] });
        expect(await journal.ownerOf("h1")).toBe(U);
      });
    });

    describe("leases", () => {
      test("one process gets the lease, the other does not", async () => {
        const lease = await take(journal);
        expect(lease).toMatchObject({ target: T, epoch: 1 });
        expect(await other.acquire(T, TTL)).toBeUndefined();
        world.clock.advance(TTL - 1);
        expect(await other.acquire(T, TTL)).toBeUndefined();
        world.clock.advance(1);
        expect(await other.acquire(T, TTL)).toMatchObject({ target: T, epoch: 2 });
      });

      test("leases of different targets do not hinder one another", async () => {
        await take(journal, T);
        expect(await other.acquire(U, TTL)).toMatchObject({ target: U, epoch: 1 });
      });

      test("acquiring again while it runs renews it and keeps the epoch", async () => {
        const first = await take(journal);
        world.clock.advance(TTL - 1);
        expect(await take(journal)).toEqual(first);
        world.clock.advance(TTL - 1);
        expect(await other.acquire(T, TTL)).toBeUndefined();
      });

      test("acquiring again after it ran out is a new epoch, which ends the old lease", async () => {
        const first = await take(journal);
        world.clock.advance(TTL);
        expect((await take(journal)).epoch).toBe(2);
        await expect(journal.renew(first, TTL)).rejects.toMatchObject({ code: "busy" });
      });

      test("a lease that ran out is taken over, and every write of the old holder is refused from then on", async () => {
        const lost = await take(journal);
        await journal.commit(lost, { document: documentWith("h1"), events: [] });
        world.clock.advance(TTL);
        const taken = await take(other);
        expect(taken.epoch).toBe(2);

        const late = { document: documentWith("h9"), events: [event("promoted")] };
        await expect(journal.commit(lost, late)).rejects.toMatchObject({ code: "busy" });
        await expect(journal.renew(lost, TTL)).rejects.toMatchObject({ code: "busy" });
        await journal.release(lost);
        await other.renew(taken, TTL);
        expect((await other.read(T)).document).toEqual(documentWith("h1"));
        expect(await other.history({})).toEqual([]);
      });

      test("a lease that ran out and that nobody took may still be written under, and renewed", async () => {
        const lease = await take(journal);
        world.clock.advance(10 * TTL);
        await journal.commit(lease, { document: documentWith("h1"), events: [] });
        await journal.renew(lease, TTL);
        expect(await other.acquire(T, TTL)).toBeUndefined();
      });

      test("renewing makes it last from now", async () => {
        const lease = await take(journal);
        world.clock.advance(TTL - 1);
        await journal.renew(lease, TTL);
        world.clock.advance(TTL - 1);
        expect(await other.acquire(T, TTL)).toBeUndefined();
        world.clock.advance(1);
        expect(await other.acquire(T, TTL)).toMatchObject({ epoch: 2 });
      });

      test("committing does not make it last longer", async () => {
        const lease = await take(journal);
        world.clock.advance(TTL - 1);
        await journal.commit(lease, { document: emptyDocument(), events: [] });
        world.clock.advance(1);
        expect(await other.acquire(T, TTL)).toMatchObject({ epoch: 2 });
      });

      test("a lease taken by a clock that was ahead lasts no longer than any other from when it is asked for, unless it is renewed", async () => {
        const lease = await take(journal);
        world.clock.advance(-5 * 3_600_000);
        expect(await other.acquire(T, TTL)).toBeUndefined();
        world.clock.advance(TTL - 1);
        expect(await other.acquire(T, TTL)).toBeUndefined();
        await journal.renew(lease, TTL);
        world.clock.advance(TTL - 1);
        expect(await other.acquire(T, TTL)).toBeUndefined();
        world.clock.advance(1);
        expect(await other.acquire(T, TTL)).toMatchObject({ epoch: lease.epoch + 1 });
      });

      test("a released lease is free at once, and its epoch is spent", async () => {
        const lease = await take(journal);
        await journal.release(lease);
        await expect(journal.renew(lease, TTL)).rejects.toMatchObject({ code: "busy" });
        expect((await take(journal)).epoch).toBe(2);
      });

      test("the lease of a process that died is free at once", async () => {
        await world.dieHolding(T, TTL);
        expect(await journal.acquire(T, TTL)).toMatchObject({ epoch: 2 });
      });

      test("every lease of a process that died is free, not only the first one taken from it", async () => {
        await world.dieHolding(T, TTL);
        await world.dieHolding(U, TTL);
        expect([await journal.acquire(T, TTL), await other.acquire(U, TTL)]).toMatchObject([
          { epoch: 2 },
          { epoch: 2 },
        ]);
      });

      test("closing a journal frees its leases", async () => {
        await take(journal);
        await journal.close();
        expect(await other.acquire(T, TTL)).toMatchObject({ epoch: 2 });
      });

      test("of many that ask at once exactly one gets it", async () => {
        const asked = await Promise.all([journal, other, journal, other].map((one) => one.acquire(T, TTL)));
        const holders = new Set(asked.flatMap((lease) => lease?.holder ?? []));
        expect(holders.size).toBe(1);
      });
    });

    describe("events", () => {
      test("events carry target, epoch and growing numbers, and stay as written", async () => {
        const first = event("created", { rotation: "r1", data: { hash: "h1", tries: 2 } });
        await journal.commit(await take(journal), {
          document: emptyDocument(),
          events: [first, event("noted")],
        });
        const before = await other.history({});
        expect(before).toEqual([
          { ...first, seq: 1, target: T, epoch: 1 },
          { ...event("noted"), seq: 2, target: T, epoch: 1 },
        ]);
        await journal.commit(await take(journal), {
          document: documentWith("h1"),
          events: [event("promoted")],
        });
        const after = await other.history({});
        expect(after.slice(0, 2)).toEqual(before);
        expect(after.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      });

      test("history is chosen by key, rotation, target and number, the newest so many, oldest first", async () => {
        const lease = await take(journal);
        for (const n of [1, 2, 3, 4]) {
          await journal.commit(lease, {
            document: emptyDocument(),
            events: [
              event(`a${n}`, { rotation: n % 2 ? "odd" : "even" }),
              event(`b${n}`, { key: "billing" }),
            ],
          });
        }
        await journal.commit(await take(journal, U), {
          document: emptyDocument(),
          events: [event("u", { key: "billing" })],
        });
        const kinds = async (filter: Parameters<Journal["history"]>[0]) =>
          (await other.history(filter)).map(({ kind }) => kind);
        expect(await kinds({ rotation: "odd" })).toEqual(["a1", "a3"]);
        expect(await kinds({ key: "billing", limit: 2 })).toEqual(["b4", "u"]);
        expect(await kinds({ target: U })).toEqual(["u"]);
        expect(await kinds({ target: T, key: "billing", afterSeq: 4 })).toEqual(["b3", "b4"]);
        expect(await kinds({ afterSeq: 4, limit: 1 })).toEqual(["u"]);
        expect(await kinds({ limit: 0 })).toEqual([]);
        expect(await kinds({ key: "unheard-of" })).toEqual([]);
      });
    });

    describe("requests", () => {
      test("a request reaches the holder of the lease, is logged, and is gone once answered", async () => {
        const lease = await take(journal);
        await other.request(request("q1"), event("requested", { actor: "ann@desk" }));
        await other.request({ ...request("q2"), kind: "revoke", immediately: true }, event("requested"));
        expect((await journal.read(T)).requests.map(({ id }) => id)).toEqual(["q1", "q2"]);
        expect((await journal.read(T)).requests[1]).toEqual({
          ...request("q2"),
          kind: "revoke",
          immediately: true,
        });
        expect(await journal.history({})).toMatchObject([
          { kind: "requested", actor: "ann@desk", target: T, epoch: 1 },
          { kind: "requested", epoch: 1 },
        ]);

        await journal.commit(lease, { document: emptyDocument(), events: [], requestsDone: ["q1"] });
        expect((await other.read(T)).requests.map(({ id }) => id)).toEqual(["q2"]);
      });

      test("a request may be left for a target never written, and belongs to that target alone", async () => {
        await other.request(request("q1", U), event("requested"));
        expect((await journal.read(T)).requests).toEqual([]);
        expect((await journal.read(U)).requests).toEqual([request("q1", U)]);
        expect(await journal.history({})).toMatchObject([{ target: U, epoch: 0 }]);
      });

      test("a commit that is refused leaves the requests unanswered", async () => {
        const lost = await take(journal);
        await journal.release(lost);
        await other.request(request("q1"), event("requested"));
        const attempt = journal.commit(lost, { document: emptyDocument(), events: [], requestsDone: ["q1"] });
        await expect(attempt).rejects.toMatchObject({ code: "busy" });
        expect((await other.read(T)).requests).toEqual([request("q1")]);
      });

      test("the same request is not left twice", async () => {
        await journal.request(request("q1"), event("requested"));
        const again = journal.request(request("q1"), event("requested"));
        await expect(again).rejects.toSatisfy((error: RotationError) => error.code === "conflict");
        expect(await journal.history({})).toHaveLength(1);
      });
    });

    describe("notices", () => {
      const notice = (id: string, more: Partial<NoticeRecord> = {}) => noticeOf(id, T, more);
      const noticed = (lease: Lease, ...notices: NoticeRecord[]) =>
        journal.commit(lease, { document: documentWith("h1"), events: [], notices });
      const ids = async (from = other) => (await from.notices()).map(({ id }) => id);

      test("are kept with the change that they tell of, oldest first over all targets", async () => {
        await noticed(await take(journal), notice("n2", { at: 20 }), notice("n3", { at: 30 }));
        await journal.commit(await take(journal, U), {
          document: documentWith("h2"),
          events: [],
          notices: [noticeOf("n1", U, { at: 10 })],
        });
        expect(await other.notices()).toEqual([
          noticeOf("n1", U, { at: 10 }),
          notice("n2", { at: 20 }),
          notice("n3", { at: 30 }),
        ]);
      });

      test("of a commit that is refused are not kept", async () => {
        const lost = await take(journal);
        await journal.release(lost);
        await take(other);
        await expect(noticed(lost, notice("n1"))).rejects.toMatchObject({ code: "busy" });
        expect(await ids()).toEqual([]);
      });

      test("are kept once however often they are committed, and by commits that have none", async () => {
        const lease = await take(journal);
        await noticed(lease, notice("n1"));
        await noticed(lease, notice("n1"), notice("n2"));
        await noticed(lease);
        expect(await ids()).toEqual(["n1", "n2"]);
      });

      test("remember who was told, by whoever says so, and leave with the last one", async () => {
        const lease = await take(journal);
        await noticed(lease, notice("n1"), notice("n2"));
        await other.delivered(T, [{ id: "n1", by: ["slack"], last: false }]);
        await other.delivered(T, [{ id: "n1", by: ["slack", "hook"], last: false }]);
        expect(await journal.notices()).toEqual([notice("n1", { told: ["slack", "hook"] }), notice("n2")]);
        await other.delivered(T, [
          { id: "n1", by: [], last: true },
          { id: "n2", by: ["hook"], last: true },
        ]);
        expect(await ids(journal)).toEqual([]);
        expect((await journal.read(T)).document).toEqual(documentWith("h1"));
        await noticed(lease, notice("n3"));
      });

      test("that are gone already, or never were, may be told again", async () => {
        await noticed(await take(journal), notice("n1"));
        await other.delivered(T, [{ id: "n0", by: ["hook"], last: true }]);
        await other.delivered(U, [{ id: "n1", by: ["hook"], last: true }]);
        expect(await ids()).toEqual(["n1"]);
      });

      test("yield beyond fifty of one target, progress before alarms, and say how many are gone", async () => {
        const lease = await take(journal);
        for (let n = 0; n < 10; n++)
          await noticed(lease, notice(`alarm${n}`, { at: n }), notice(`p${n}`, { at: n, event: "planned" }));
        for (let n = 10; n < 55; n++) await noticed(lease, notice(`alarm${n}`, { at: n }));
        const kept = await other.notices();
        expect(kept).toHaveLength(50);
        expect(kept.map(({ id }) => id)).toEqual(Array.from({ length: 50 }, (_, n) => `alarm${n + 5}`));
        expect(kept[0]?.omitted).toBe(15);
        expect(kept.slice(1).every(({ omitted }) => omitted === undefined)).toBe(true);
      });
    });

    test("tries whether it can be written, also while another holds a lease, and leaves nothing of it", async () => {
      await journal.commit(await take(journal), { document: documentWith("h1"), events: [event("created")] });
      const before = [await other.all(), await other.history({})];
      await other.assertWritable();
      await journal.assertWritable();
      expect([await other.all(), await other.history({})]).toEqual(before);
    });

    test("a closed journal says so, however it is asked", async () => {
      const lease = await take(journal);
      await journal.close();
      await journal.close();
      const calls = [
        journal.read(T),
        journal.acquire(T, TTL),
        journal.commit(lease, { document: emptyDocument(), events: [] }),
        journal.history({}),
        journal.notices(),
        journal.delivered(T, []),
        journal.assertWritable(),
      ];
      for (const call of calls) await expect(call).rejects.toThrow("is closed");
    });
  });
}

/** A document that has issued keys of these hashes. */
function documentWith(...hashes: string[]): TargetDocument {
  const issued = hashes.map((hash): [string, IssuedRecord] => [
    hash,
    { hash, field: "", provider: "openrouter", origin: "issued" },
  ]);
  return { ...emptyDocument(), issued: Object.fromEntries(issued) };
}
