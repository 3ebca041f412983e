import { beforeEach, describe, expect, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import { undamaged } from "../../src/journal/journal.ts";
import { contentOf, newEntry } from "../../src/journal/kubernetes/entry.ts";
import { journalObjects, objectName } from "../../src/journal/kubernetes/names.ts";
import { type ConfigMap, Objects } from "../../src/journal/kubernetes/objects.ts";
import { seal } from "../../src/journal/seal.ts";
import { CONFIG_MAPS, LEASES } from "../../src/kubernetes/api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { documentWith, eventOf, noticeOf, requestOf } from "./content.ts";
import { CONFIG, JournalBench, take } from "./kubernetes-bench.ts";

const T = "cluster/payments";
const U = "cluster/billing";

let bench: JournalBench;
beforeEach(() => {
  bench = new JournalBench();
});

/** A journal with two targets, closed. */
async function written(): Promise<void> {
  const journal = await bench.open();
  await journal.commit(await take(journal, T), { document: documentWith("h1"), events: [eventOf("made")] });
  await journal.commit(await take(journal, U), { document: documentWith("h2"), events: [eventOf("made")] });
  await journal.close();
}

async function refusal(work: Promise<unknown>): Promise<RotationError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(RotationError);
  const error = thrown as RotationError;
  expect(error.hint).toBeDefined();
  return error;
}

describe("names", () => {
  test("of a target's objects are legal whatever it is called, and differ where targets do", () => {
    const targets = [
      "cluster/a/b",
      "cluster/a-b",
      "aws/prod/Ünicode ✓/key",
      `file/${"x".repeat(300)}`,
      "--/--",
    ];
    const names = targets.map((target) => objectName("keyturn", target));
    for (const name of names) expect(name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
    for (const name of names) expect(name.length).toBeLessThan(100);
    expect(new Set(names).size).toBe(targets.length);
  });

  test("of all objects follow from the policy's targets: nothing else is made", async () => {
    await written();
    const { configMaps, leases } = journalObjects(CONFIG, [T, U, T]);
    const named = (resource: typeof CONFIG_MAPS) =>
      bench.model.all(resource, CONFIG.namespace).map(({ metadata }) => metadata.name);
    expect(named(CONFIG_MAPS).sort()).toEqual(configMaps.toSorted());
    expect(named(LEASES).sort()).toEqual(leases.toSorted());
  });
});

describe("objects made beforehand, empty", () => {
  beforeEach(() => {
    const { configMaps, leases } = journalObjects(CONFIG, [T, U]);
    for (const name of configMaps) bench.model.put(CONFIG_MAPS, CONFIG.namespace, { metadata: { name } });
    for (const name of leases) bench.model.put(LEASES, CONFIG.namespace, { metadata: { name } });
    bench.model.deny({
      resources: ["configmaps", "leases"],
      verbs: ["create", "delete", "list", "watch", "patch"],
    });
  });

  test("are a new journal, for which get and update are rights enough", async () => {
    await written();
    const journal = await bench.open();
    expect(undamaged(await journal.all()).map(({ target }) => target)).toEqual([U, T]);
    await journal.request(requestOf("q1", T), eventOf("requested"));
    await take(journal, T);
  });

  test("count as none for a command that only looks, which writes nothing", async () => {
    const before = bench.configMap();
    const journal = await bench.open({ mayCreate: false });
    expect([await journal.all(), (await journal.read(T)).document]).toEqual([[], emptyDocument()]);
    expect(bench.configMap()).toEqual(before);
  });
});

test("a command that only looks makes no journal", async () => {
  const journal = await bench.open({ mayCreate: false });
  expect(await journal.history({})).toEqual([]);
  await journal.close();
  expect(bench.model.all(CONFIG_MAPS, CONFIG.namespace)).toEqual([]);
});

describe("what a person did to a ConfigMap", () => {
  test.each<[string, (data: Record<string, string>, object: ConfigMap) => void, string]>([
    [
      "changed a word of its document",
      (data) => Object.assign(data, { document: data.document?.replace("h1", "h9") }),
      "unusable",
    ],
    [
      "wrote a document of their own",
      (data) => Object.assign(data, { document: JSON.stringify(emptyDocument()) }),
      "unusable",
    ],
    [
      "changed its epoch",
      (data) => Object.assign(data, { state: data.state?.replace('"epoch":1', '"epoch":0') }),
      "unusable",
    ],
    [
      "emptied it",
      (data) => {
        for (const name of Object.keys(data)) delete data[name];
      },
      "unusable",
    ],
    [
      "took its state away",
      (data) => {
        delete data.state;
      },
      "unusable",
    ],
    ["has a newer keyturn that wrote it", (data) => Object.assign(data, { format: "2" }), "newer-version"],
    [
      "made it immutable",
      (_, object) => {
        object.immutable = true;
      },
      "unusable",
    ],
  ])("%s: its target is refused by name, with a way back, and the other goes on", async (_, change, code) => {
    await written();
    bench.edit(T, change);
    const journal = await bench.open();
    const error = await refusal(journal.read(T));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/payments/);
    expect(await journal.all()).toMatchObject([
      { target: U, document: documentWith("h2") },
      { target: T, error: { code } },
    ]);
    await journal.commit(await take(journal, U), { document: documentWith("h3"), events: [] });
    expect(await journal.ownerOf("h1")).toBe(T);
    const claim = journal.commit(await take(journal, U), { document: documentWith("h1"), events: [] });
    expect((await refusal(claim)).code).toBe("conflict");
  });

  test("deleted a target's: it is not taken for a new one", async () => {
    await written();
    bench.remove(T);
    const journal = await bench.open();
    for (const use of [
      journal.read(T),
      journal.acquire(T, 60_000),
      journal.request(requestOf("q", T), eventOf("x")),
    ]) {
      const error = await refusal(use);
      expect([error.code, error.message]).toEqual(["unusable", expect.stringContaining("is gone")]);
    }
    expect(bench.configMap(T)).toBeUndefined();
  });

  test("put one target's content in another's: it is refused", async () => {
    await written();
    const other = bench.configMap(U)?.data ?? {};
    bench.edit(T, (data) => Object.assign(data, other));
    expect((await refusal((await bench.open()).read(T))).code).toBe("unusable");
  });

  test("broke a line of the event log: the other events are shown, and it too", async () => {
    await written();
    bench.edit(T, (data) => {
      data.events = `{"seq":1,\n${data.events}`;
    });
    const journal = await bench.open();
    expect((await journal.history({ target: T })).map(({ kind }) => kind)).toEqual(["damaged", "made"]);
    await journal.commit(await take(journal, T), { document: documentWith("h1"), events: [eventOf("next")] });
  });

  test("damaged a document: the log of its target can still be read, and requests be left", async () => {
    await written();
    bench.overwrite(T, "damaged");
    const journal = await bench.open();
    await journal.request(requestOf("q1", T), eventOf("requested"));
    expect((await journal.history({ target: T })).map(({ kind }) => kind)).toEqual(["made", "requested"]);
  });

  test.each<[string, (data: Record<string, string>) => void, string]>([
    [
      "changed a word of the index",
      (data) => Object.assign(data, { journal: data.journal?.replace("h1", "h9") }),
      "unusable",
    ],
    ["has a newer keyturn that wrote it", (data) => Object.assign(data, { format: "2" }), "newer-version"],
    [
      "put something else in its place",
      (data) => {
        delete data.journal;
        data.config = "a: b";
      },
      "unusable",
    ],
  ])("%s: the whole journal is refused, and left as it is", async (_, change, code) => {
    await written();
    bench.edit(undefined, change);
    const before = bench.configMap();
    expect((await refusal(bench.open())).code).toBe(code);
    expect((await refusal(bench.open({ mayCreate: false }))).code).toBe(code);
    expect(bench.configMap()).toEqual(before);
  });

  test("deleted the whole journal: there is a new one, with an id of its own", async () => {
    await written();
    const { id } = await bench.open();
    for (const target of [undefined, T, U]) bench.remove(target);
    const journal = await bench.open();
    expect(journal.id).not.toBe(id);
    expect((await journal.read(T)).document).toEqual(emptyDocument());
  });

  test("deleted the journal's own ConfigMap alone: what the others hold is not given up silently", async () => {
    await written();
    const open = await bench.open();
    bench.remove(undefined);
    expect((await refusal(open.all())).message).toContain("was deleted while it was open");
    const journal = await bench.open();
    expect((await refusal(journal.read(T))).message).toContain("belongs to another journal");
    expect((await refusal(open.ownerOf("h1"))).message).toContain("was replaced by another");
  });

  test("added labels, annotations and entries of their own: they stay", async () => {
    await written();
    bench.edit(T, (data, { metadata }) => {
      data.note = "ours";
      metadata.labels = { ...metadata.labels, team: "payments" };
    });
    const journal = await bench.open();
    await journal.commit(await take(journal, T), { document: documentWith("h3"), events: [] });
    expect(bench.configMap(T)).toMatchObject({
      data: { note: "ours" },
      metadata: { labels: { team: "payments" } },
    });
  });
});

describe("a cluster that refuses", () => {
  test.each([
    ["get", "configmaps", () => bench.open()],
    ["create", "configmaps", () => bench.open()],
    ["create", "leases", async () => take(await bench.open(), T)],
  ] as const)("%s of %s is named, with the command that prints the rights", async (verb, resource, work) => {
    bench.model.deny({ resources: [resource], verbs: [verb] });
    const error = await refusal(work());
    expect(error.code).toBe("forbidden");
    expect(error.hint).toContain(`allow ${verb} on ${resource}`);
    expect(error.hint).toContain("rotate init --kubernetes-rbac");
  });

  test("writes to the journal is found when that is tried, which itself writes nothing", async () => {
    await written();
    const journal = await bench.open();
    const before = bench.configMap();
    await journal.assertWritable();
    expect(bench.configMap()).toEqual(before);
    bench.model.deny({ resources: ["configmaps"], verbs: ["update"] });
    expect(await refusal(journal.assertWritable())).toMatchObject({ code: "forbidden" });
  });

  test("a target whose objects the Role does not name, any more, is shown as such, and what it claims stays claimed", async () => {
    await written();
    bench.model.deny({
      resources: ["configmaps"],
      resourceNames: [objectName(CONFIG.name, T)],
      verbs: ["*"],
    });
    const journal = await bench.open();
    expect(await journal.all()).toMatchObject([{ target: U }, { target: T, error: { code: "forbidden" } }]);
    expect(await journal.ownerOf("h1")).toBe(T);
    const claim = journal.commit(await take(journal, U), { document: documentWith("h1"), events: [] });
    expect((await refusal(claim)).code).toBe("conflict");
    expect((await journal.history({})).map(({ target }) => target)).toEqual([U]);
    expect(bench.warned).toEqual([expect.stringContaining("events are left out")]);
  });

  test("a namespace that is not there is named", async () => {
    bench.model.withoutNamespace("shp");
    const error = await refusal(bench.open({ config: { ...CONFIG, namespace: "shp" } }));
    expect([error.code, error.message]).toEqual(["absent", expect.stringContaining("no namespace shp")]);
  });
});

describe("size", () => {
  test("thousands of events are compacted to the newest, whose numbers go on, far below what a ConfigMap holds", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    for (let n = 0; n < 60; n += 1) {
      const events = Array.from({ length: 50 }, (_, k) =>
        eventOf(`e${n * 50 + k}`, { data: { text: "x".repeat(200) } }),
      );
      await journal.commit(lease, { document: documentWith("h1"), events });
    }
    const events = await journal.history({ target: T });
    expect(events.at(-1)?.kind).toBe("e2999");
    expect(events.length).toBeGreaterThan(100);
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(new Set(seqs).size).toBe(seqs.length);
    expect(JSON.stringify(bench.configMap(T)).length).toBeLessThan(400 * 1024);
  });

  test("an event with more facts than anyone reads is kept without them", async () => {
    const journal = await bench.open();
    await journal.commit(await take(journal, T), {
      document: emptyDocument(),
      events: [eventOf("huge", { data: { text: "x".repeat(2_000_000) } })],
    });
    expect(await journal.history({})).toMatchObject([
      { kind: "huge", data: { omitted: expect.any(String) } },
    ]);
  });

  test("a document of years is kept, compressed, and read back equal", async () => {
    const journal = await bench.open();
    const document = emptyDocument();
    for (let n = 0; n < 3_000; n += 1) {
      const name = `keyturn/prod/payments-api/2026-11-21/${n.toString(16).padStart(12, "0")}`;
      document.intents[name] = {
        name,
        rotation: `r${n}`,
        field: "API_KEY",
        provider: "openrouter",
        plannedAt: n,
        settled: "issued",
      };
    }
    await journal.commit(await take(journal, T), { document, events: [] });
    expect((await journal.read(T)).document).toEqual(document);
    expect(JSON.stringify(bench.configMap(T)).length).toBeLessThan(400 * 1024);
  });

  test("one that no ConfigMap holds is refused before anything is written, and what was there stays", async () => {
    const journal = await bench.open();
    const lease = await take(journal, T);
    await journal.commit(lease, { document: documentWith("h1"), events: [eventOf("made")] });
    const hashes = Array.from({ length: 40_000 }, (_, n) => seal(n).slice(0, 16).repeat(4) + n);
    const commit = journal.commit(lease, { document: documentWith("h1", ...hashes), events: [] });
    expect((await refusal(commit)).code).toBe("full");
    expect((await journal.read(T)).document).toEqual(documentWith("h1"));
    await journal.commit(lease, { document: documentWith("h1", "h2"), events: [] });
  });

  test("has no room for notices before it has none for a document", () => {
    const { state } = newEntry("id", T, undefined);
    const notices = Array.from({ length: 50 }, (_, n) =>
      noticeOf(`n${n}`, T, { message: "x".repeat(1_000) }),
    );
    const objects = new Objects(new JournalBench().parts().kube, CONFIG);
    const kept = (document: string) =>
      contentOf(objects, { state: { ...state, notices }, document, events: "" }).data.state?.includes(
        '"n49"',
      );
    expect([kept("x".repeat(800 * 1024)), kept("x".repeat(930 * 1024))]).toEqual([true, false]);
    expect(() => kept("x".repeat(970 * 1024))).toThrow("holds 1 MiB");
  });
});
