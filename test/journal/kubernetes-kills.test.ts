import { describe, expect, test } from "vitest";
import { contentDigest } from "../../src/journal/archive.ts";
import { emptyDocument, type TargetDocument } from "../../src/journal/document.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { kubernetesPlace } from "../../src/journal/kubernetes/place.ts";
import type { KubeSend } from "../../src/kubernetes/api.ts";
import { documentWith, eventOf, requestOf } from "./content.ts";
import { CONFIG, JournalBench, take } from "./kubernetes-bench.ts";

const T = "cluster/payments";
const U = "cluster/billing";
const TTL = 60_000;

/** How a process ends at a call: it never went out, its effect is there, or its effect comes when somebody else has begun. */
type Death = "before" | "after" | "late";
const DEATHS: readonly Death[] = ["before", "after", "late"];

/** The calls of a process that dies at one of them, counted from 1. */
class Mortal {
  calls = 0;
  readonly #bench: JournalBench;
  readonly #at: number;
  readonly #death: Death;
  readonly #died = Promise.withResolvers<"died">();
  #late: (() => Promise<unknown>) | undefined;

  constructor(bench: JournalBench, at: number, death: Death) {
    this.#bench = bench;
    this.#at = at;
    this.#death = death;
  }

  readonly send: KubeSend = async (request) => {
    this.calls += 1;
    if (this.calls > this.#at) return await new Promise(() => {});
    const call = () => this.#bench.model.send(request);
    if (this.calls < this.#at) return await call();
    if (this.#death === "after") await call();
    if (this.#death === "late") this.#late = call;
    this.#died.resolve("died");
    return await new Promise(() => {});
  };

  /** Runs until the end, or until it dies. */
  async live(script: () => Promise<unknown>): Promise<"died" | "ended"> {
    return await Promise.race([this.#died.promise, script().then(() => "ended" as const)]);
  }

  /** What was still on its way arrives. */
  async land(): Promise<void> {
    await this.#late?.();
  }
}

/** Tries every death at every call of a script, in a new world each time, until the script outlives it. Gives the number of calls. */
async function everywhere(attempt: (death: Death, at: number) => Promise<"died" | "ended">): Promise<number> {
  for (let at = 1; ; at += 1) {
    const ends = [];
    for (const death of DEATHS) ends.push(await attempt(death, at));
    if (ends.every((end) => end === "ended")) return at - 1;
    expect(at).toBeLessThan(200);
  }
}

const DOCUMENTS = [emptyDocument(), documentWith("h1"), documentWith("h1", "h2"), documentWith("h2")];

/** Three commits, a request, and nothing left. `told` is what the process was told to be done. */
async function work(journal: Journal, told: { commits: number; asked: boolean }): Promise<void> {
  const lease = await take(journal, T);
  await journal.commit(lease, { document: DOCUMENTS[1] as TargetDocument, events: [eventOf("one")] });
  told.commits = 1;
  await journal.request(requestOf("q1", T), eventOf("requested"));
  told.asked = true;
  await journal.renew(lease, TTL);
  await journal.commit(lease, {
    document: DOCUMENTS[2] as TargetDocument,
    events: [eventOf("two")],
    requestsDone: ["q1"],
  });
  told.commits = 2;
  await journal.commit(lease, { document: DOCUMENTS[3] as TargetDocument, events: [eventOf("three")] });
  told.commits = 3;
  await journal.release(lease);
}

describe("a process killed at any call", () => {
  test("leaves the journal as it was before the call or after it, and the next holder carries on", async () => {
    const calls = await everywhere(async (death, at) => {
      const where = `${death} call ${at}`;
      const bench = new JournalBench();
      const mortal = new Mortal(bench, at, death);
      const told = { commits: 0, asked: false };
      const end = await mortal.live(async () => work(await bench.open({ send: mortal.send }), told));

      bench.clock.advance(TTL + 1);
      const journal = await bench.open();
      const lease = await take(journal, T);
      const { document } = await journal.read(T);
      const commits = DOCUMENTS.findIndex((one) => JSON.stringify(one) === JSON.stringify(document));
      expect([told.commits, told.commits + 1], where).toContain(commits);

      await mortal.land();
      expect((await journal.read(T)).document, where).toEqual(document);
      for (const hash of ["h1", "h2", "h3"])
        expect(await journal.ownerOf(hash), `${where}: ${hash}`).toBe(
          document.issued[hash] === undefined ? undefined : T,
        );
      const asked = (await journal.read(T)).requests.length;
      if (told.asked && commits < 2) expect(asked, where).toBe(1);
      if (!told.asked && commits < 1) expect(asked, where).toBe(0);
      if (commits >= 2) expect(asked, where).toBe(0);
      const seen = await journal.history({ target: T });
      const all = ["one", "requested", "two", "three"];
      expect(
        seen.map(({ kind }) => kind),
        where,
      ).toEqual(all.slice(0, seen.length));
      expect(new Set(seen.map(({ seq }) => seq)).size, where).toBe(seen.length);

      await journal.commit(lease, { document: documentWith("h3"), events: [eventOf("four")] });
      const other = await take(journal, U);
      await journal.commit(other, { document: documentWith("h1", "h2"), events: [] });
      expect([await journal.ownerOf("h1"), await journal.ownerOf("h3")], where).toEqual([U, T]);
      expect(await journal.all(), where).toHaveLength(2);
      return end;
    });
    expect(calls).toBeGreaterThan(20);
  }, 120_000);

  test("who asks for something on a target that was never written leaves the whole request, or none", async () => {
    const calls = await everywhere(async (death, at) => {
      const where = `${death} call ${at}`;
      const bench = new JournalBench();
      const mortal = new Mortal(bench, at, death);
      const end = await mortal.live(async () => {
        const journal = await bench.open({ send: mortal.send });
        await journal.request(requestOf("q1", T), eventOf("requested"));
      });
      await mortal.land();
      const journal = await bench.open();
      const asked = (await journal.read(T)).requests.length;
      expect((await journal.history({})).length, where).toBe(asked);
      if (end === "ended") expect(asked, where).toBe(1);
      await journal.commit(await take(journal, T), { document: documentWith("h1"), events: [] });
      return end;
    });
    expect(calls).toBeGreaterThan(5);
  });
});

describe("moving, killed at any call", () => {
  const filled = async () => {
    const bench = new JournalBench();
    const journal = await bench.open();
    for (const [target, hash] of [
      [T, "h1"],
      [U, "h2"],
    ] as const) {
      const lease = await take(journal, target);
      await journal.commit(lease, { document: documentWith(hash), events: [eventOf("made")] });
      await journal.request(requestOf(`q of ${target}`, target), eventOf("requested"));
      await journal.release(lease);
    }
    await journal.close();
    return bench;
  };
  const placeOf = (bench: JournalBench, send?: KubeSend) => {
    const { pod: _, ...parts } = bench.parts(send ? { send } : {});
    return kubernetesPlace(CONFIG, parts);
  };

  test("an export can be repeated, and what it gives is whole; or the journal is in use as before", async () => {
    const calls = await everywhere(async (death, at) => {
      const where = `${death} call ${at}`;
      const bench = await filled();
      const mortal = new Mortal(bench, at, death);
      const end = await mortal.live(() => placeOf(bench, mortal.send).moveAway());
      bench.clock.advance(TTL + 1);
      await mortal.land();
      const place = placeOf(bench);
      await place.moveAway();
      const archive = await place.read();
      expect(archive.targets, where).toMatchObject([
        { target: U, document: documentWith("h2") },
        { target: T, document: documentWith("h1") },
      ]);
      expect([archive.requests.length, archive.events.length], where).toEqual([2, 4]);
      await expect(bench.open(), where).rejects.toMatchObject({ code: "unusable" });

      expect(await placeOf(bench).fill(archive), where).toMatchObject({ returned: true });
      const journal = await bench.open();
      await journal.commit(await take(journal, T), { document: documentWith("h1", "h3"), events: [] });
      return end;
    });
    expect(calls).toBeGreaterThan(10);
  }, 120_000);

  test("an import can be repeated until it is whole, and nobody uses what is half there", async () => {
    const source = await filled();
    await placeOf(source).moveAway();
    const archive = await placeOf(source).read();
    const calls = await everywhere(async (death, at) => {
      const where = `${death} call ${at}`;
      const bench = new JournalBench();
      const mortal = new Mortal(bench, at, death);
      const end = await mortal.live(() => placeOf(bench, mortal.send).fill(archive));
      const early = await bench.open({ mayCreate: false }).then(
        async (journal) => (await journal.all()).length,
        (thrown) => thrown.code,
      );
      expect(["unusable", 0, 2], where).toContain(early);
      await mortal.land();
      const again = placeOf(bench).fill(archive);
      await again.catch((thrown) => expect(thrown, where).toMatchObject({ code: "conflict" }));
      expect(contentDigest(await placeOf(bench).read()), where).toBe(contentDigest(archive));
      const journal = await bench.open();
      expect(journal.id).toBe(archive.id);
      expect((await take(journal, T)).epoch, where).toBeGreaterThan(archive.targets[1]?.epoch ?? 0);
      return end;
    });
    expect(calls).toBeGreaterThan(8);
  }, 120_000);
});
