import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Archive, contentDigest } from "../../src/journal/archive.ts";
import { archiveText, parseArchive } from "../../src/journal/archive-file.ts";
import { type Journal, undamaged } from "../../src/journal/journal.ts";
import { kubernetesPlace } from "../../src/journal/kubernetes/place.ts";
import type { JournalPlace } from "../../src/journal/place.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { sqlitePlace } from "../../src/journal/sqlite/place.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { documentWith, eventOf, noticeOf, requestOf } from "./content.ts";
import { CONFIG, JournalBench, take } from "./kubernetes-bench.ts";

const T = "cluster/payments";
const U = "cluster/billing";

interface Site {
  place: JournalPlace;
  open(): Promise<Journal>;
  /** A person moves away what is there. */
  clear(): Promise<void>;
}

let folder: string;
let bench: JournalBench;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "keyturn-moving-"));
  bench = new JournalBench();
});
afterEach(() => rm(folder, { recursive: true }));

function sqliteSite(): Site {
  const path = join(folder, "journal.db");
  const parts = { clock: bench.clock, random: systemRandom };
  return {
    place: sqlitePlace(path, parts),
    open: () => openSqliteJournal(path, parts),
    clear: () => rename(path, `${path}.moved`),
  };
}

function kubernetesSite(): Site {
  const { pod: _, ...parts } = bench.parts();
  return {
    place: kubernetesPlace(CONFIG, parts),
    open: () => bench.open(),
    clear: async () => {
      for (const target of [undefined, T, U]) bench.remove(target);
    },
  };
}

const SITES = { sqlite: sqliteSite, kubernetes: kubernetesSite };
const KINDS = ["sqlite", "kubernetes"] as const;

/** Two keys, a request that waits, and a log. */
async function fill(site: Site): Promise<string> {
  const journal = await site.open();
  const lease = await take(journal, T);
  await journal.commit(lease, {
    document: documentWith("h1", "h2"),
    events: [eventOf("created", { rotation: "r1", data: { hash: "h1" } }), eventOf("promoted")],
  });
  await journal.commit(await take(journal, U), {
    document: documentWith("h3"),
    events: [eventOf("created")],
    notices: [noticeOf("n1", U), noticeOf("n2", U, { told: ["d1"] })],
  });
  await journal.request(requestOf("q1", T), eventOf("requested"));
  await journal.close();
  return journal.id;
}

async function contents(journal: Journal) {
  const targets = undamaged(await journal.all()).map(({ target, document }) => ({ target, document }));
  const requests = [...(await journal.read(T)).requests, ...(await journal.read(U)).requests];
  const events = (await journal.history({})).toSorted((a, b) => a.seq - b.seq);
  return { id: journal.id, targets, requests, notices: await journal.notices(), events };
}

async function refused(work: Promise<unknown>, code: string, says: RegExp): Promise<void> {
  await expect(work).rejects.toMatchObject({
    code,
    message: expect.stringMatching(says),
    hint: expect.any(String),
  });
}

describe.each([
  ["sqlite", "kubernetes"],
  ["kubernetes", "sqlite"],
] as const)("from %s to %s", (from, to) => {
  test("a journal keeps id, documents, requests, notices and events, and goes on", async () => {
    const [source, target] = [SITES[from](), SITES[to]()];
    const id = await fill(source);
    const before = await source.open();
    const held = await contents(before);
    await before.close();

    await source.place.moveAway();
    const text = archiveText({ archive: await source.place.read(), purpose: "move", exportedAt: 0 });
    const { archive } = parseArchive(text, "the file");
    expect(await target.place.fill(archive)).toEqual({ events: 4, returned: false });

    const journal = await target.open();
    expect(await contents(journal)).toEqual(held);
    expect(journal.id).toBe(id);
    expect(await journal.ownerOf("h3")).toBe(U);
    const lease = await take(journal, T);
    expect(lease.epoch).toBeGreaterThan(1);
    await journal.commit(lease, {
      document: documentWith("h2"),
      events: [eventOf("next")],
      requestsDone: ["q1"],
    });
    expect((await journal.history({})).at(-1)).toMatchObject({ kind: "next" });
    expect(new Set((await journal.history({})).map(({ seq }) => seq)).size).toBe(5);
    await journal.close();
  });

  test("and back again, it is the same journal with what was done meanwhile", async () => {
    const [source, target] = [SITES[from](), SITES[to]()];
    await fill(source);
    await source.place.moveAway();
    await target.place.fill(await source.place.read());
    const journal = await target.open();
    await journal.commit(await take(journal, T), { document: documentWith("h9"), events: [] });
    await journal.close();
    await target.place.moveAway();
    const archive = await target.place.read();
    await refused(source.place.fill(archive), "conflict", /is not empty/);
    await source.clear();
    await source.place.fill(archive);
    const back = await source.open();
    expect((await back.read(T)).document).toEqual(documentWith("h9"));
    await back.close();
  });
});

describe.each(KINDS)("a journal in %s", (kind) => {
  test("that was moved away is refused to whoever opens it, and to whoever had it open", async () => {
    const site = SITES[kind]();
    await fill(site);
    const open = await site.open();
    await site.place.moveAway();
    await refused(site.open(), "unusable", /was exported to be used elsewhere/);
    await refused(open.acquire(T, 60_000), "unusable", /was exported to be used elsewhere/);
    await refused(open.acquire("cluster/new", 60_000), "unusable", /was exported to be used elsewhere/);
    await refused(open.request(requestOf("q2", T), eventOf("requested")), "unusable", /was exported/);
    await open.close();
  });

  test("can be exported again, with the same content", async () => {
    const site = SITES[kind]();
    await fill(site);
    await site.place.moveAway();
    const first = contentDigest(await site.place.read());
    await site.place.moveAway();
    expect(contentDigest(await site.place.read())).toBe(first);
  });

  test("is in use again after the import of its own export, and of that alone", async () => {
    const site = SITES[kind]();
    const id = await fill(site);
    await site.place.moveAway();
    const archive = await site.place.read();
    const other: Archive = { ...archive, requests: [] };
    await refused(site.place.fill(other), "conflict", /is not empty/);
    expect(await site.place.fill(archive)).toMatchObject({ returned: true });
    const journal = await site.open();
    expect(journal.id).toBe(id);
    await journal.commit(await take(journal, T), { document: documentWith("h1"), events: [] });
    await journal.close();
  });

  test("is not moved away while a worker holds a lease, and stays in use", async () => {
    const site = SITES[kind]();
    await fill(site);
    const worker = await site.open();
    const lease = await take(worker, T);
    await refused(site.place.moveAway(), "busy", /is in use: a worker holds the lease of cluster\/payments/);
    await worker.commit(lease, { document: documentWith("h1"), events: [] });
    await worker.release(lease);
    await take(worker, U);
    await worker.close();
    await site.place.moveAway();
  });

  test("can be copied while a worker holds a lease", async () => {
    const site = SITES[kind]();
    await fill(site);
    const worker = await site.open();
    await take(worker, T);
    expect((await site.place.read()).targets).toHaveLength(2);
    await worker.close();
  });

  test("with a damaged document is not exported", async () => {
    if (kind === "sqlite") return;
    const site = SITES[kind]();
    await fill(site);
    bench.overwrite(T, "damaged");
    await refused(site.place.moveAway(), "unusable", /payments/);
    await (await site.open()).close();
  });

  test("takes nothing in while it holds anything, or a worker holds a lease", async () => {
    const site = SITES[kind]();
    await fill(site);
    const archive: Archive = {
      id: "0".repeat(32),
      targets: [{ target: T, epoch: 3, document: documentWith("h1") }],
      requests: [],
      notices: [],
      events: [],
    };
    await refused(site.place.fill(archive), "conflict", /is there already and is not empty/);
    await site.clear();
    const worker = await site.open();
    await take(worker, T);
    await refused(site.place.fill(archive), "busy", /a worker holds the lease/);
    await worker.close();
    await site.place.fill(archive);
    const journal = await site.open();
    expect([journal.id, (await take(journal, T)).epoch]).toEqual([archive.id, 4]);
    await journal.close();
  });

  test("that is not there is not exported, and not made", async () => {
    const site = SITES[kind]();
    await refused(site.place.moveAway(), "absent", /there is no journal/);
    await refused(site.place.read(), "absent", /there is no journal/);
  });
});

/** An archive of one target, in which nothing was ever asked for. */
function archiveOfOne(): Archive {
  return {
    id: "0".repeat(32),
    targets: [{ target: T, epoch: 3, document: documentWith("h1") }],
    requests: [],
    notices: [],
    events: [],
  };
}

test("an import into Kubernetes that is not to be repeated with another file is refused to everybody", async () => {
  const site = kubernetesSite();
  const archive = archiveOfOne();
  const stop = bench.model.interpose((call, proceed) => {
    if (call.verb === "create" && call.name !== CONFIG.name) throw new Error("the process is killed here");
    return proceed();
  });
  await expect(site.place.fill(archive)).rejects.toThrow();
  stop();
  await refused(bench.open(), "unusable", /an import into the journal/);
  await refused(site.place.fill({ ...archive, targets: [] }), "unusable", /an import into the journal/);
  await site.place.fill(archive);
  expect((await (await bench.open()).read(T)).document).toEqual(documentWith("h1"));
});

test("an import that was stopped overwrites nothing once another of the same file has ended", async () => {
  const site = kubernetesSite();
  const archive: Archive = {
    id: "0".repeat(32),
    targets: [T, U].map((target) => ({ target, epoch: 3, document: documentWith(`h of ${target}`) })),
    requests: [],
    notices: [],
    events: [],
  };
  const held = bench.hold((call) => call.verb === "create" && call.name.startsWith(`${CONFIG.name}-`));
  const stopped = site.place.fill(archive);
  await held.reached;
  await kubernetesSite().place.fill(archive);
  const journal = await bench.open();
  for (const target of [T, U])
    await journal.commit(await take(journal, target), { document: documentWith(`of ${target}`), events: [] });
  held.letGo();
  await stopped;
  for (const target of [T, U])
    expect((await journal.read(target)).document).toEqual(documentWith(`of ${target}`));
});

test("an import whose journal is deleted meanwhile is not said to be done", async () => {
  const site = kubernetesSite();
  const archive = archiveOfOne();
  const held = bench.hold((call) => call.verb === "create" && call.name.startsWith(`${CONFIG.name}-`));
  const filled = site.place.fill(archive);
  await held.reached;
  bench.remove(undefined);
  held.letGo();
  await refused(filled, "unusable", /was deleted/);
});

test("an archive that has no room in ConfigMaps is refused before anything is written", async () => {
  const site = kubernetesSite();
  const hashes = Array.from({ length: 14_000 }, (_, n) =>
    contentDigest({ id: String(n), targets: [], requests: [], notices: [], events: [] }),
  );
  const archive: Archive = {
    id: "0".repeat(32),
    targets: [{ target: T, epoch: 3, document: documentWith(...hashes) }],
    requests: [],
    notices: [],
    events: [],
  };
  await refused(site.place.fill(archive), "full", /ConfigMap/);
  expect(bench.configMap()).toBeUndefined();
});

test("of a long event log Kubernetes keeps the newest of each target, and says how many", async () => {
  const events = Array.from({ length: 2_000 }, (_, n) => ({
    ...eventOf(`e${n}`),
    seq: n + 1,
    target: n % 2 ? T : U,
    epoch: 1,
  }));
  const site = kubernetesSite();
  const archive: Archive = {
    id: "0".repeat(32),
    targets: [{ target: T, epoch: 1, document: documentWith("h1") }],
    requests: [],
    notices: [],
    events,
  };
  const filled = await site.place.fill(archive);
  expect(filled.events).toBeLessThan(2_000);
  const journal = await bench.open();
  const kept = await journal.history({});
  expect(kept).toHaveLength(filled.events);
  expect(kept.at(-1)?.kind).toBe("e1999");
  await journal.commit(await take(journal, T), { document: documentWith("h1"), events: [eventOf("next")] });
  expect((await journal.history({ target: T })).at(-1)?.seq).toBeGreaterThan(2_000);
});
