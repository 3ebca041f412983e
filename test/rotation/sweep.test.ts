import { describe, expect, test } from "vitest";
import { emptyDocument } from "../../src/journal/document.ts";
import type { TargetEntry } from "../../src/journal/journal.ts";
import { memoryJournalState } from "../../src/journal/memory.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import { type Policy, policySchema } from "../../src/policy/schema.ts";
import type { SweepReport } from "../../src/rotation/sweep/report.ts";
import { scopeOf } from "../../src/rotation/sweep/scope.ts";
import { type KeyPlace, placesOf } from "../../src/rotation/targets.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { mortality } from "./mortal.ts";
import {
  DAY,
  FIELD,
  HOUR,
  hashOf,
  MINUTE,
  type Scenario,
  type ScenarioOptions,
  scenario,
} from "./scenario.ts";

const TARGET = "local/payments";
const REMOVE = { remove: { actor: "ann@laptop" } };

/** A rotation has lost the reply to a create, and its list was too stale to show what that made. */
async function withLostKey(options: ScenarioOptions = {}) {
  const world = await scenario({ faults: ["create:lost-reply"], ...options });
  world.model.knobs.listDelay = 30 * MINUTE;
  await world.process().now();
  world.model.knobs.listDelay = 0;
  const lost = world.model
    .allKeys()
    .find(({ name, hash }) => name.startsWith("keyturn/") && hash !== hashOf(world.current()));
  if (lost === undefined) throw new Error("nothing was lost");
  return { world, lost };
}

/** After a rotation: a second key under the name that the rotation asked for, as if the create had been repeated on the way. */
async function withTwin(options: ScenarioOptions = {}) {
  const world = await scenario(options);
  await world.process().now();
  return { world, ...twinOf(world) };
}

function twinOf(world: Scenario, field = FIELD) {
  const name = world.model.allKeys().find(({ hash }) => hash === hashOf(world.current(field)))?.name ?? "";
  const { key, issued } = world.model.create({ name });
  return { name, twin: issued.hash, plaintext: key.reveal() };
}

const hashes = (world: Scenario) => world.model.allKeys().map(({ hash }) => hash);
const found = ({ keys }: SweepReport) =>
  keys.map(({ hash, verdict, outcome }) => ({ hash, verdict, ...(outcome ? { outcome } : {}) }));

describe("a key that a lost rotation left", () => {
  test("is found with what the provider shows of it, and nothing is changed", async () => {
    const { world, lost } = await withLostKey();
    const before = { keys: world.model.allKeys(), journal: [...world.journalState.documents] };
    const report = await world.process().engine.sweep();
    expect(report).toEqual({
      keys: [
        {
          provider: "openrouter",
          hash: lost.hash,
          name: lost.name,
          key: "payments-api",
          target: TARGET,
          verdict: "lost",
          why: expect.stringMatching(/^rotation \w+ asked for it and never learned its plaintext$/),
          label: lost.label,
          disabled: false,
          usage: 0,
          createdAt: lost.createdAt,
          workspaceId: lost.workspaceId,
        },
      ],
      known: 1,
      problems: [],
      unsearched: [],
    });
    expect({ keys: world.model.allKeys(), journal: [...world.journalState.documents] }).toEqual(before);
    expect(world.sent("DELETE")).toHaveLength(1);
  });

  test("is deleted where that is asked for; the journal says so before and after, and by whom", async () => {
    const { world, lost } = await withLostKey();
    const seq = (await world.process().engine.history({})).length;
    const report = await world.process().engine.sweep(REMOVE);
    expect(found(report)).toEqual([{ hash: lost.hash, verdict: "lost", outcome: "deleted" }]);
    expect(hashes(world)).toEqual([hashOf(world.current())]);
    const events = await world.process().engine.history({ afterSeq: seq });
    const said = { key: "payments-api", actor: "ann@laptop", reason: "orphan-found" };
    const data = { hash: lost.hash, name: lost.name };
    expect(events).toMatchObject([
      { kind: "delete-sent", ...said, data },
      { kind: "orphan-deleted", ...said, data },
    ]);
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 1 });
    expect(world.violations).toEqual([]);
  });

  test("is deleted by a sweep that was killed at any call, or by the next one", async () => {
    for (let at = 1; ; at += 1) {
      for (const moment of ["before", "after"] as const) {
        const { world, twin } = await withTwin();
        const life = mortality(at, moment);
        const dying = world.process(life);
        const ended = await Promise.race([dying.engine.sweep(REMOVE), life.died]);
        dying.kill();
        if (ended) return expect(at).toBeGreaterThan(8);
        const report = await world.process().engine.sweep(REMOVE);
        expect(report.problems).toEqual([]);
        expect(hashes(world)).not.toContain(twin);
        expect(hashes(world)).toContain(hashOf(world.current()));
        expect(world.violations).toEqual([]);
        expect(await world.process().now()).toMatchObject({ outcome: "deleted" });
      }
    }
  });

  test("is found in every workspace that a rotation of ours has asked for a key in", async () => {
    const world = await scenario();
    const workspaceId = world.model.addWorkspace();
    world.setPolicy([{ ...world.key, settings: { workspaceId } }]);
    await world.process().now();
    const name = world.live()[0]?.name ?? "";
    world.setPolicy([{ ...world.key, settings: { workspaceId: world.model.addWorkspace() } }]);
    await world.process().now();
    const { issued } = world.model.create({ name, workspaceId });
    expect(found(await world.process().engine.sweep(REMOVE))).toEqual([
      { hash: issued.hash, verdict: "lost", outcome: "deleted" },
    ]);
  });

  test("is found on the last of many pages", async () => {
    const { world, twin } = await withTwin();
    await world.clock.sleep(MINUTE);
    for (let i = 0; i < 250; i += 1) world.byHand(`other ${i}`);
    expect(found(await world.process().engine.sweep())).toEqual([{ hash: twin, verdict: "lost" }]);
  });

  test("is found and deleted also where its key has left the policy, unless other keys are named", async () => {
    const { world, twin } = await withTwin();
    const billing = { ...world.key, name: "billing-api", store: { use: "local", secret: "billing" } };
    world.setPolicy([billing]);
    expect(found(await world.process().engine.sweep({ keys: ["billing-api"] }))).toEqual([]);
    expect(found(await world.process().engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "deleted" },
    ]);
    expect(hashes(world)).toEqual([hashOf(world.current())]);
  });

  test("is found under a key's earlier name", async () => {
    const { world, twin } = await withTwin();
    world.setPolicy([{ ...world.key, name: "renamed", formerly: ["payments-api"] }]);
    expect(found(await world.process().engine.sweep({ keys: ["renamed"] }))).toEqual([
      { hash: twin, verdict: "lost" },
    ]);
  });

  test("is not shown when the list only goes on showing what was deleted", async () => {
    const { world, twin } = await withTwin();
    await world.clock.sleep(HOUR);
    world.model.delete(twin);
    world.model.knobs.listDelay = 10 * MINUTE;
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({
      keys: [],
      known: 1,
      problems: [],
    });
  });

  test("of one field is told from the other field's, in one secret", async () => {
    const world = await scenario();
    const second = {
      ...world.key,
      name: "billing-api",
      store: { use: "local", secret: "payments", field: "SECOND" },
      consumers: [{ name: "billing", probe: { http: "http://billing/healthz" } }],
    };
    world.setPolicy([world.key, second]);
    world.write({ ...world.file(), SECOND: world.byHand("second") });
    world.service("billing", 1, { field: "SECOND", key: "billing-api" }).settle();
    const process = world.process();
    for (const key of ["payments-api", "billing-api"])
      await process.engine.request(key, { kind: "rotate", actor: "test" });
    await process.once();
    const [first, other] = [twinOf(world), twinOf(world, "SECOND")];
    expect(await process.engine.sweep({ keys: ["billing-api"], ...REMOVE })).toMatchObject({
      keys: [{ hash: other.twin, key: "billing-api", outcome: "deleted" }],
    });
    expect(await process.engine.sweep(REMOVE)).toMatchObject({
      keys: [{ hash: first.twin, key: "payments-api", outcome: "deleted" }],
    });
    expect(hashes(world).sort()).toEqual([hashOf(world.current()), hashOf(world.current("SECOND"))].sort());
    expect(world.violations).toEqual([]);
  });
});

describe("what is never deleted", () => {
  test("look-alikes, other people's keys, other installations' keys, whatever their age", async () => {
    const { world } = await withTwin();
    const others = [
      "keyturn/other/payments-api/2020-01-01/0123456789ab",
      "keyturn/test/payments-api/2020-01-01/0123456789AB",
      "keyturn/test/payments-api/2020-01-01/0123456789ab/",
      " keyturn/test/payments-api/2020-01-01/0123456789ab",
      "keyturn/test/payments-api",
      "made by hand",
      "payments-api",
      "",
    ].map((name) => hashOf(world.byHand(name)) as string);
    const { keys } = await world.process().engine.sweep(REMOVE);
    expect(keys).toMatchObject([{ outcome: "deleted" }]);
    expect(hashes(world)).toEqual(expect.arrayContaining(others));
  });

  test("a key under a name of ours that this journal never asked for: shown, with what to do", async () => {
    const world = await scenario();
    await world.process().now();
    const hash = hashOf(world.byHand("keyturn/test/payments-api/2027-03-01/0123456789ab")) as string;
    const { keys } = await world.process().engine.sweep(REMOVE);
    expect(keys).toMatchObject([
      {
        hash,
        verdict: "unknown",
        key: "payments-api",
        hint: expect.stringContaining(`rotate keys delete ${hash.slice(0, 12)}`),
      },
    ]);
    expect(keys[0]).not.toHaveProperty("outcome");
    expect(hashes(world)).toContain(hash);
    world.setPolicy([world.key, { ...world.key, name: "other", store: { use: "local", secret: "other" } }]);
    expect(await world.process().engine.sweep({ keys: ["other"] })).toMatchObject({ keys: [] });
  });

  test("what the create of a rotation in flight has made", async () => {
    const world = await scenario({ faults: ["create:lost-reply"] });
    const life = mortality(1, "after");
    const process = world.process({
      life: { ...life, at: Number.POSITIVE_INFINITY },
      before: async (call) => {
        // Dies between the create and the search for what it made.
        if (call === "provider.send" && world.sent("POST").length > 0) await new Promise(() => {});
      },
    });
    void process.now();
    await world.clock.sleep(MINUTE);
    process.kill();
    expect(world.live()).toHaveLength(2);
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 2 });
    expect(world.revoked).toEqual([]);
    expect(await world.process().once()).toMatchObject([{ outcome: "deleted" }]);
    expect(hashes(world)).toEqual([hashOf(world.current())]);
  });

  test("both keys of a held rotation, and an old key that waits for its deletion", async () => {
    const world = await scenario({ key: { retire: { watch: "1s", keepDisabledFor: "1d" } } });
    await world.process().now({ until: "completed" });
    world.payments.stuck();
    expect(await world.process().now()).toMatchObject({ outcome: "held" });
    const before = hashes(world);
    expect(before).toHaveLength(3);
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 3 });
    expect(hashes(world)).toEqual(before);
  });

  test("a key that another process rotates in while the list is walked", async () => {
    const world = await scenario();
    await world.process().once();
    let rotated = false;
    const sweeping = world.process({
      before: async (call) => {
        if (call !== "provider.send" || rotated) return;
        rotated = true;
        await world.process().now();
      },
    });
    expect(await sweeping.engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 1 });
    expect(hashes(world)).toEqual([hashOf(world.current())]);
  });

  test("a key that a person has made current meanwhile", async () => {
    const { world, twin, plaintext } = await withTwin();
    world.write({ ...world.file(), [FIELD]: plaintext });
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 2 });
    expect(hashes(world)).toContain(twin);
  });

  test("a key that is current in a secret that has left the policy", async () => {
    const { world, twin, plaintext } = await withTwin();
    world.write({ ...world.file(), [FIELD]: plaintext });
    world.setPolicy([{ ...world.key, name: "other", store: { use: "local", secret: "other" } }]);
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 2 });
    expect(hashes(world)).toContain(twin);
  });

  test("a key that stands in a stage of the secret", async () => {
    const { world, twin, plaintext } = await withTwin();
    const store = memoryStore("local", { clock: world.clock, backing: world.backing });
    const ref = { secret: "payments", field: FIELD };
    const { base } = await store.observe(ref);
    await store.stage(ref, { rotation: "woken", hash: twin, value: new Secret(plaintext), base });
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [], known: 2 });
    expect(hashes(world)).toContain(twin);
  });

  test("a key that has been used", async () => {
    const { world, twin } = await withTwin();
    world.model.spend(twin, 0.25);
    const { keys } = await world.process().engine.sweep(REMOVE);
    expect(keys).toMatchObject([
      { verdict: "undecided", usage: 0.25, why: expect.stringContaining("been used") },
    ]);
    expect(hashes(world)).toContain(twin);
  });

  test("anything while the current value is a key that nobody can name", async () => {
    const { world, twin } = await withTwin();
    world.write({ ...world.file(), [FIELD]: "sk-or-v1-of-another-account" });
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({ keys: [{ verdict: "undecided" }] });
    expect(hashes(world)).toContain(twin);
  });

  test("anything once the secret bears another owner's stamp", async () => {
    const { world, twin } = await withTwin();
    const rival = world.process({ state: memoryJournalState(world.random) });
    await rival.ask("take-over");
    const { keys } = await world.process().engine.sweep(REMOVE);
    expect(keys).toMatchObject([{ hash: twin, verdict: "undecided" }]);
    expect(hashes(world)).toContain(twin);
  });
});

describe("what cannot be looked at decides nothing", () => {
  const denied = new RotationError("forbidden", "the store may not be read", { hint: "grant it" });

  test("a store that cannot be read", async () => {
    const { world, twin } = await withTwin();
    world.storeFails = denied;
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({
      keys: [{ hash: twin, verdict: "undecided", hint: "grant it" }],
      problems: [{ where: TARGET, code: "forbidden", message: denied.message }],
    });
    expect(hashes(world)).toContain(twin);
  });

  test("a secret that neither policy nor journal says how to read", async () => {
    const { world, twin } = await withTwin();
    const document = JSON.parse(world.journalState.documents.get(TARGET) ?? "{}");
    delete document.keys[FIELD].policy;
    world.journalState.documents.set(TARGET, JSON.stringify(document));
    world.setPolicy([{ ...world.key, name: "other", store: { use: "local", secret: "other" } }]);
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({
      keys: [{ hash: twin, verdict: "undecided" }],
      problems: [{ where: TARGET, code: "unusable" }],
    });
    expect(hashes(world)).toContain(twin);
  });

  test("a store that cannot be read again just before the deletion", async () => {
    const { world, twin } = await withTwin();
    let reads = 0;
    const process = world.process({
      before: async (call) => {
        if (call === "store.observe" && ++reads === 2) throw denied;
      },
    });
    expect(await process.engine.sweep(REMOVE)).toMatchObject({
      keys: [{ hash: twin, verdict: "lost", outcome: "failed", message: denied.message }],
      problems: [{ where: TARGET, code: "forbidden" }],
    });
    expect(hashes(world)).toContain(twin);
  });

  test("what was made current between the look and the deletion is kept", async () => {
    const { world, twin, plaintext } = await withTwin();
    const process = world.process({
      before: async (call) => {
        if (call === "journal.acquire") world.write({ ...world.file(), [FIELD]: plaintext });
      },
    });
    expect(found(await process.engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "kept" },
    ]);
    expect(hashes(world)).toContain(twin);
  });

  test("a key that a person has renamed between the look and the deletion is kept", async () => {
    const { world, twin } = await withTwin();
    const process = world.process({
      before: async (call) => {
        if (call === "journal.acquire") world.model.update(twin, { name: "mine now" });
      },
    });
    expect(found(await process.engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "kept" },
    ]);
    expect(hashes(world)).toContain(twin);
  });

  test("a key that is gone by the time of its deletion counts as gone, since the current one is still shown", async () => {
    const { world, twin } = await withTwin();
    const process = world.process({
      before: async (call) => {
        if (call === "journal.acquire") world.model.delete(twin);
      },
    });
    expect(found(await process.engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "gone" },
    ]);
  });

  test("a key that another account's management key does not show is not taken for gone", async () => {
    const { world, twin } = await withTwin();
    const right = world.managementKey;
    const process = world.process({
      before: async (call) => {
        if (call === "journal.acquire")
          world.managementKey = world.model.addManagementKey(undefined, "other");
      },
    });
    const report = await process.engine.sweep(REMOVE);
    expect(report).toMatchObject({ keys: [{ outcome: "failed" }], problems: [{ code: "unclear" }] });
    world.managementKey = right;
    expect(await world.process().kinds()).not.toContain("orphan-deleted");
    expect(hashes(world)).toContain(twin);
  });

  test.each(["list:500:all", "list:401", "list:wrong-body:all", "get:500:all"])(
    "a provider in trouble (%s)",
    async (fault) => {
      const { world, twin } = await withTwin();
      world.faults.add(fault);
      const { keys, problems } = await world.process().engine.sweep(REMOVE);
      expect(keys).toEqual([]);
      expect(problems).toMatchObject([{ where: "openrouter" }]);
      world.calm();
      expect(hashes(world)).toContain(twin);
    },
  );

  test("a damaged part of the journal: a name that no other part has may stand there", async () => {
    const world = await scenario();
    await world.process().now();
    const { twin } = twinOf(world);
    world.journalState.documents.set(TARGET, "{");
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({
      keys: [{ verdict: "undecided" }, { verdict: "undecided" }],
      problems: [{ where: TARGET, code: "unusable" }],
    });
    expect(hashes(world)).toContain(twin);
  });

  test("a key that the policy does not have is refused", async () => {
    const world = await scenario();
    await expect(world.process().engine.sweep({ keys: ["nope"] })).rejects.toMatchObject({ code: "usage" });
  });
});

describe("when nothing may be deleted now", () => {
  test("while another process works on the secret, its lost keys are left to the next sweep", async () => {
    const { world, twin } = await withTwin();
    const worker = world.process();
    const lease = await worker.journal.acquire(TARGET, MINUTE);
    expect(found(await world.process().engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "busy" },
    ]);
    expect(hashes(world)).toContain(twin);
    if (lease) await worker.journal.release(lease);
    expect(found(await world.process().engine.sweep(REMOVE))).toMatchObject([{ outcome: "deleted" }]);
  });

  test("while a pass of the same process works on it", async () => {
    const { world, twin } = await withTwin();
    world.payments.stuck();
    const process = world.process();
    const passing = process.now();
    await world.clock.sleep(MINUTE);
    expect(found(await process.engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "busy" },
    ]);
    world.payments.stuck(false);
    world.payments.settle();
    await passing;
    expect(world.violations).toEqual([]);
  });

  test("a lease lost in the middle ends the deletion", async () => {
    const { world, twin } = await withTwin();
    const process = world.process({
      before: async (call) => {
        if (call !== "journal.renew") return;
        await world.clock.sleep(10 * MINUTE);
        await world.process().journal.acquire(TARGET, MINUTE);
      },
    });
    expect(found(await process.engine.sweep(REMOVE))).toEqual([
      { hash: twin, verdict: "lost", outcome: "busy" },
    ]);
    expect(hashes(world)).toContain(twin);
  });

  test.each([
    ["a suspended key", { suspend: true }, "suspended"],
    ["a closed window", { windows: [{ kind: "deny", schedule: "0 0 * * *", duration: "24h" }] }, "window"],
  ])("%s keeps what is lost", async (_, policy, why) => {
    const { world, twin } = await withTwin();
    world.setPolicy([{ ...world.key, ...policy }]);
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({
      keys: [{ verdict: "lost", outcome: "kept", message: expect.stringContaining(why) }],
    });
    expect(hashes(world)).toContain(twin);
  });

  test("clocks that are too far apart", async () => {
    const { world, twin } = await withTwin();
    world.skewMs = HOUR;
    expect(await world.process().engine.sweep(REMOVE)).toMatchObject({
      keys: [{ outcome: "kept", message: expect.stringContaining("minutes apart") }],
    });
    expect(hashes(world)).toContain(twin);
  });

  test("a signal leaves the rest undone", async () => {
    const { world } = await withTwin();
    twinOf(world);
    const stop = new AbortController();
    const process = world.process({
      before: async (call) => {
        if (call === "journal.renew") stop.abort();
      },
    });
    const { keys } = await process.engine.sweep({ ...REMOVE, signal: stop.signal });
    expect(keys.map(({ outcome }) => outcome)).toEqual(["deleted", undefined]);
    expect(hashes(world)).toHaveLength(2);
  });
});

describe("a journal that was lost", () => {
  test("every key of ours is unknown and stays; the current one is to be taken over", async () => {
    const { world, lost } = await withLostKey();
    const anew = world.process({ state: memoryJournalState(world.random) });
    const current = hashOf(world.current()) as string;
    const { keys } = await anew.engine.sweep(REMOVE);
    expect(keys.map(({ verdict }) => verdict)).toEqual(["unknown", "unknown"]);
    expect(keys.find(({ hash }) => hash === current)?.hint).toContain(
      "rotate --now payments-api --take-over",
    );
    expect(hashes(world)).toEqual(expect.arrayContaining([lost.hash, current]));

    await anew.ask("take-over");
    const after = await world.process({ state: memoryJournalState(world.random) }).engine.sweep(REMOVE);
    expect(found(after).every(({ verdict }) => verdict === "unknown")).toBe(true);
    expect(hashes(world)).toContain(lost.hash);
    expect(world.violations).toEqual([]);
  });

  test("an unknown key is found in the workspace of a key that was taken over, too", async () => {
    const world = await scenario({ existing: false });
    world.model.defaultWorkspace();
    const workspaceId = world.model.addWorkspace();
    const { key } = world.model.create({ name: "made by hand", workspaceId });
    world.write({ [FIELD]: key.reveal() });
    world.payments.settle();
    await world.process().once();
    const name = "keyturn/test/payments-api/2027-03-01/0123456789ab";
    const { issued } = world.model.create({ name, workspaceId });
    expect(found(await world.process().engine.sweep(REMOVE))).toEqual([
      { hash: issued.hash, verdict: "unknown" },
    ]);
  });

  test("a key that the policy names for adoption is accounted for", async () => {
    const { world } = await withTwin();
    const hash = hashOf(world.current()) as string;
    world.setPolicy([{ ...world.key, adopt: { hash } }]);
    await world.clock.sleep(DAY);
    const anew = world.process({ state: memoryJournalState(world.random) });
    const { keys, known } = await anew.engine.sweep();
    expect(keys.map((key) => key.hash)).not.toContain(hash);
    expect(known).toBe(1);
  });
});

describe("where a sweep looks", () => {
  const policy = (provider: string, field?: string) => {
    const key = {
      name: "payments-api",
      provider,
      schedule: "none",
      store: { use: "local", secret: "payments", field },
      consumers: [{ name: "payments", probe: { http: "http://payments/healthz" } }],
    };
    const providers = { [provider]: { type: "openrouter", managementKey: { env: "MANAGEMENT" } } };
    const stores = { local: { type: "file", path: "/store" } };
    return policySchema.parse({ version: 1, installation: "test", providers, stores, keys: [key] });
  };
  /** The journal after a rotation under `earlier`; without its snapshot, as an older rotation leaves it. */
  const entry = (earlier: Policy, keeps = true): TargetEntry => {
    const { field, snapshot } = placesOf(earlier)[0] as KeyPlace;
    const { provider } = snapshot.key;
    const name = "keyturn/test/payments-api/2027-03-01/0123456789ab";
    const intent = { name, rotation: "r", field, provider, plannedAt: 0 };
    const key = { name: "payments-api", provider, ...(keeps ? { policy: snapshot } : {}) };
    const document = { ...emptyDocument(), keys: { [field]: key }, intents: { [name]: intent } };
    return { target: TARGET, document };
  };
  const scope = (now: Policy, earlier: TargetEntry) => scopeOf(now, placesOf(now), [earlier], undefined);

  test("at a provider that the policy has left, while the journal still tells how to reach it", () => {
    const [now, earlier] = [policy("second", FIELD), policy("first", "EARLIER")];
    expect(scope(now, entry(earlier)).walks.map(({ name }) => name)).toEqual(["second", "first"]);
    const gone = scope(now, entry(earlier, false));
    expect(gone.walks.map(({ name }) => name)).toEqual(["second"]);
    expect(gone.unsearched).toEqual(["first"]);
  });

  test("in a secret as it is now, whole or with fields, whatever it was", () => {
    const { places } = scope(policy("first", FIELD), entry(policy("first")));
    expect(places.map(({ field }) => field)).toEqual([FIELD]);
  });
});
