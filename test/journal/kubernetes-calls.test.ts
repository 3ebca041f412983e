import { beforeEach, describe, expect, test } from "vitest";
import type { Journal } from "../../src/journal/journal.ts";
import { objectName } from "../../src/journal/kubernetes/names.ts";
import type { KubeSend } from "../../src/kubernetes/api.ts";
import { documentWith, eventOf, noticeOf, requestOf } from "./content.ts";
import { CONFIG, JournalBench, take } from "./kubernetes-bench.ts";

const T = "cluster/payments";
const U = "cluster/billing";
const TTL = 60_000;
const NAMES = new Map([
  [CONFIG.name, "the journal"],
  [objectName(CONFIG.name, T), "payments"],
  [objectName(CONFIG.name, U), "billing"],
]);

let bench: JournalBench;
let journal: Journal;
let other: Journal;
let called: string[];

beforeEach(async () => {
  bench = new JournalBench();
  called = [];
  const counting: KubeSend = async (request) => {
    const [resource = "", name = ""] = request.path.split("/namespaces/shop/")[1]?.split("/") ?? [];
    const what = NAMES.get(name || (request.body as { metadata: { name: string } }).metadata.name);
    const answer = await bench.model.send(request);
    const overtaken = answer.status === 409 ? ", overtaken" : "";
    if (resource !== "events") called.push(`${request.method} ${resource} ${what}${overtaken}`);
    return answer;
  };
  journal = await bench.open({ send: counting });
  other = await bench.open();
});

/** The calls that the work makes. */
async function callsOf(work: () => Promise<unknown>): Promise<string[]> {
  called.length = 0;
  await work();
  return [...called];
}

const commit = (lease: Awaited<ReturnType<typeof take>>, hash: string, more = {}) =>
  journal.commit(lease, { document: documentWith(hash), events: [eventOf("made")], ...more });

describe("the calls to the API server", () => {
  test("of a pass with two steps: a read and a write for each, and two of each for the lease", async () => {
    await commit(await take(journal, T), "h1");
    await journal.release(await take(journal, T));
    expect(await callsOf(() => journal.read(T))).toEqual(["GET configmaps payments"]);
    let lease: Awaited<ReturnType<typeof take>> | undefined;
    expect(
      await callsOf(async () => {
        lease = await take(journal, T);
      }),
    ).toEqual([
      "GET leases payments",
      "GET configmaps payments",
      "PUT leases payments",
      "PUT configmaps payments",
    ]);
    if (lease === undefined) throw new Error("no lease");
    const held = lease;
    for (const _ of ["one", "two"]) {
      expect(await callsOf(() => journal.read(T))).toEqual(["GET configmaps payments"]);
      expect(await callsOf(() => commit(held, "h1"))).toEqual(["PUT configmaps payments"]);
    }
    expect(await callsOf(() => journal.renew(held, TTL))).toEqual(["PUT leases payments"]);
    expect(await callsOf(() => journal.release(held))).toEqual(["PUT leases payments"]);
  });

  test("of commits that follow one another: one write each", async () => {
    const lease = await take(journal, T);
    await commit(lease, "h1");
    expect(
      await callsOf(async () => {
        await commit(lease, "h1");
        await commit(lease, "h1");
      }),
    ).toEqual(["PUT configmaps payments", "PUT configmaps payments"]);
  });

  test("of a commit that issues a key: what all targets share is read and written too", async () => {
    const lease = await take(journal, T);
    await commit(lease, "h1");
    expect(
      await callsOf(() => journal.commit(lease, { document: documentWith("h1", "h2"), events: [] })),
    ).toEqual(["GET configmaps the journal", "PUT configmaps the journal", "PUT configmaps payments"]);
  });

  test("of a commit after somebody else has written there: it is made again over that, and both are kept", async () => {
    const lease = await take(journal, T);
    await commit(lease, "h1");
    await other.request(requestOf("q1", T), eventOf("requested"));
    expect(await callsOf(() => commit(lease, "h1"))).toEqual([
      "PUT configmaps payments, overtaken",
      "GET configmaps payments",
      "PUT configmaps payments",
    ]);
    expect((await journal.read(T)).requests).toEqual([requestOf("q1", T)]);
    expect((await other.history({})).map(({ kind }) => kind)).toEqual(["made", "requested", "made"]);
  });

  test("of a commit after another process has taken the lease: it is refused, whatever was read before", async () => {
    const lease = await take(journal, T);
    await commit(lease, "h1");
    await journal.read(T);
    bench.clock.advance(TTL + 1);
    await take(other, T);
    const late = commit(lease, "h9");
    await expect(late).rejects.toMatchObject({ code: "busy" });
    expect((await other.read(T)).document).toEqual(documentWith("h1"));
  });

  test("of a look at all targets: one for each, and one for which there are", async () => {
    await commit(await take(journal, T), "h1");
    await commit(await take(journal, U), "h2");
    expect(await callsOf(() => journal.all())).toEqual([
      "GET configmaps the journal",
      "GET configmaps billing",
      "GET configmaps payments",
    ]);
  });
});

describe("looks for notices", () => {
  const ids = async () => (await journal.notices()).map(({ id }) => id);

  test("read every target the first time, and then those that have some", async () => {
    const lease = await take(journal, T);
    await commit(lease, "h1");
    await commit(await take(journal, U), "h2");
    expect((await callsOf(ids)).toSorted()).toEqual([
      "GET configmaps billing",
      "GET configmaps payments",
      "GET configmaps the journal",
    ]);
    expect(await callsOf(ids)).toEqual([]);
    await commit(lease, "h1", { notices: [noticeOf("n1", T)] });
    expect(await callsOf(async () => expect(await ids()).toEqual(["n1"]))).toEqual([
      "GET configmaps payments",
    ]);
    expect(await callsOf(() => journal.delivered(T, [{ id: "n1", by: ["hook"], last: true }]))).toEqual([
      "GET configmaps payments",
      "PUT configmaps payments",
    ]);
    expect(await callsOf(async () => expect(await ids()).toEqual([]))).toEqual([]);
  });

  test("find what another process has left within a minute, and from then on until it is delivered", async () => {
    expect(await ids()).toEqual([]);
    const lease = await take(other, U);
    await other.commit(lease, { document: documentWith("h2"), events: [], notices: [noticeOf("n2", U)] });
    bench.clock.advance(60_000);
    expect(await ids()).toEqual(["n2"]);
    expect(await ids()).toEqual(["n2"]);
    await other.delivered(U, [{ id: "n2", by: ["hook"], last: true }]);
    expect(await ids()).toEqual([]);
  });
});
