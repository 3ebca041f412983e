import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type KubeAnswer, type KubeSend, SECRETS } from "../../src/kubernetes/api.ts";
import { RotationError } from "../../src/lib/errors.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { KubeSecret } from "../../src/stores/kubernetes/secret-object.ts";
import type { SecretView, Store } from "../../src/stores/store.ts";
import { COMPANION, encoded, kubernetesWorld, NAMESPACE, OWNER, REF } from "../stores/kubernetes-world.ts";
import { anyJson, expectWithout, mutated, nested, outcome, runs } from "./generators.ts";
import { hastyClock } from "./provider-answers.ts";

const OLD = "sk-or-v1-old0123456789abcdef";
const NEW = "sk-or-v1-new0123456789abcdef";
/** Of one that was replaced: it stands in the companion. */
const BEFORE = "sk-or-v1-before456789abcdef";
const SECRETS_OF_OURS = [OLD, NEW, BEFORE].flatMap((text) => [text, Buffer.from(text).toString("base64")]);

/** What becomes of one call: its real answer changed, or another in its place, before or after it has its effect. */
type Twist =
  | { kind: "pass" }
  | { kind: "change"; change: (answer: KubeAnswer) => KubeAnswer }
  | { kind: "throw"; code: "unreachable" | "unclear"; after: boolean };

const status = fc.constantFrom(200, 201, 204, 302, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 503);
const wrong = fc.constantFrom<unknown>(
  undefined,
  "404 page not found",
  `<html>${NEW}</html>`,
  { kind: "Status", status: "Failure", message: `value ${NEW} is bad`, reason: "Invalid" },
  { kind: "Status", message: 7, details: null },
  { kind: "Secret", metadata: { name: REF.secret, resourceVersion: "1" } },
  { kind: "Secret", metadata: { name: REF.secret, resourceVersion: "1", uid: "u" }, data: { LLM_KEY: 7 } },
  { kind: "Secret", metadata: { name: REF.secret, resourceVersion: "1", uid: "u" }, data: "x" },
  {
    kind: "Secret",
    metadata: { name: COMPANION, resourceVersion: "1", uid: "u" },
    data: { "versions.json": "!!" },
  },
);
const twist: fc.Arbitrary<Twist> = fc.oneof(
  fc.constant({ kind: "pass" as const }),
  fc.record({
    kind: fc.constant("throw" as const),
    code: fc.constantFrom("unreachable" as const, "unclear" as const),
    after: fc.boolean(),
  }),
  fc.tuple(status, fc.oneof(wrong, anyJson)).map(([status, body]) => ({
    kind: "change" as const,
    change: (answer: KubeAnswer) => ({ ...answer, status, body }),
  })),
  fc.integer().map((seed) => ({
    kind: "change" as const,
    change: (answer: KubeAnswer) => {
      const [body] = fc.sample(mutated(answer.body), { seed, numRuns: 1 });
      return { ...answer, body };
    },
  })),
);

/** A Secret with a current value, one that was replaced and one staged; twists for the calls from `arm` on. */
async function setUp() {
  const world = kubernetesWorld(hastyClock());
  const { model, store, make } = world;
  make({ DB: "keep" });
  await store.claim(REF, OWNER, { create: false });
  const stage = async (text: string, hash: string) =>
    store.stage(REF, {
      rotation: "r1",
      hash,
      value: new Secret(text),
      base: (await store.observe(REF)).base,
    });
  for (const [text, hash] of [
    [BEFORE, "h-before"],
    [OLD, "h-old"],
  ] as const) {
    const { version, base } = await stage(text, hash);
    await store.promote(REF, version, base);
  }
  const staged = await stage(NEW, "h-new");
  let twists: Twist[] = [];
  const send: KubeSend = async (request) => {
    const next = twists.shift() ?? { kind: "pass" };
    const fail = (code: "unreachable" | "unclear") => new RotationError(code, "no answer");
    if (next.kind === "throw" && !next.after) throw fail(next.code);
    const answer = await model.send(request);
    if (next.kind === "throw") throw fail("unclear");
    return next.kind === "change" ? next.change(answer) : answer;
  };
  return {
    ...world,
    store: world.open(send),
    arm: (next: readonly Twist[]) => {
      twists = [...next];
    },
    staged,
  };
}

type World = Awaited<ReturnType<typeof setUp>>;
const CALLS: Record<string, (store: Store, world: World) => Promise<unknown>> = {
  observe: async (store) => expectView(await store.observe(REF)),
  claim: (store) => store.claim(REF, { ...OWNER, journal: "j2" }, { create: true, takeOver: true }),
  create: (store) => store.claim({ ...REF, secret: "none" }, OWNER, { create: true }),
  stage: (store, { staged: { base } }) =>
    store.stage(REF, { rotation: "r2", hash: "h2", value: new Secret(NEW), base }),
  read: (store, { staged: { version } }) => store.read(REF, version),
  promote: (store, { staged: { version, base } }) => store.promote(REF, version, base),
  fence: (store, { staged: { base } }) => store.fence(REF, base),
  drop: (store, { staged: { version } }) => store.drop(REF, version),
};
const call = fc.constantFrom(...Object.keys(CALLS));

function expectView(view: SecretView): void {
  if (view.current) expect(view.current.version).toBe(view.base);
  else expect(view.base).toMatch(/^absent/);
  for (const { value } of [view.current, ...view.staged].filter((version) => version !== undefined))
    expect(value === undefined || value instanceof Secret).toBe(true);
  expectWithout(SECRETS_OF_OURS, JSON.stringify(view));
}

const run = (method: string, world: World) => (CALLS[method] as (typeof CALLS)[string])(world.store, world);

describe("whatever the API server answers", () => {
  test.each(Object.keys(CALLS))(
    "%s ends as it promises, or in an error that tells nothing secret",
    async (method) => {
      await fc.assert(
        fc.asyncProperty(fc.array(twist, { minLength: 1, maxLength: 5 }), async (twists) => {
          const world = await setUp();
          world.arm(twists);
          await outcome(run(method, world), SECRETS_OF_OURS);
          // What the consumers use is the old value or the new one.
          expect([OLD, NEW]).toContain(world.entries().LLM_KEY);
          expect(world.entries().DB).toBe("keep");
        }),
        runs(12),
      );
    },
  );

  test("a check of rights never throws, and changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(twist, { minLength: 1, maxLength: 8 }), async (twists) => {
        const { model, store, arm } = await setUp();
        const before = model.all(SECRETS, NAMESPACE);
        arm(twists);
        const examined = await store.check?.(REF);
        expectWithout(SECRETS_OF_OURS, JSON.stringify(examined));
        expect(model.all(SECRETS, NAMESPACE)).toEqual(before);
      }),
      runs(15),
    );
  });

  test("a write that was not answered, or refused for weather, loses no value and no other entry", async () => {
    const weather = fc.oneof(
      fc.constant({ kind: "pass" as const }),
      fc.record({
        kind: fc.constant("throw" as const),
        code: fc.constantFrom("unreachable" as const, "unclear" as const),
        after: fc.boolean(),
      }),
    );
    await fc.assert(
      fc.asyncProperty(call, fc.array(weather, { minLength: 1, maxLength: 12 }), async (method, twists) => {
        const world = await setUp();
        world.arm(twists);
        const { error } = await outcome(run(method, world), SECRETS_OF_OURS);
        if (error) expect(["unclear", "unreachable", "rejected", "conflict"]).toContain(error.code);
        expect(world.entries().DB).toBe("keep");
        const kept = world.everything();
        expect(kept).toContain(OLD);
        if (method !== "drop") expect(kept).toContain(NEW);
        // Another process finds it in order.
        expectView(await world.open().observe(REF));
      }),
      runs(25),
    );
  });
});

describe("whatever stands in the objects", () => {
  test.each([REF.secret, COMPANION])(
    "%s changed anywhere is refused, or taken for what it says",
    async (name) => {
      await fc.assert(
        fc.asyncProperty(call, fc.integer(), async (method, seed) => {
          const world = await setUp();
          const before = world.find(name) as KubeSecret;
          const [changed] = fc.sample(
            mutated({
              data: before.data,
              labels: before.metadata.labels,
              annotations: before.metadata.annotations,
            }),
            { seed, numRuns: 1 },
          );
          const send: KubeSend = async (request) => {
            const answer = await world.model.send(request);
            if (request.method !== "GET" || !request.path.endsWith(`/${name}`)) return answer;
            const { data, ...more } = (changed ?? {}) as Record<string, unknown>;
            const { metadata, ...body } = answer.body as KubeSecret;
            return { ...answer, body: { ...body, data, metadata: { ...metadata, ...more } } };
          };
          const { error } = await outcome(
            (CALLS[method] as (typeof CALLS)[string])(world.open(send), world),
            SECRETS_OF_OURS,
          );
          if (error)
            expect([
              "malformed",
              "unusable",
              "newer-version",
              "conflict",
              "absent",
              "rejected",
              "unclear",
            ]).toContain(error.code);
        }),
        runs(30),
      );
    },
  );

  const text = fc.oneof(
    anyJson.map((json) => JSON.stringify(json)),
    fc.constantFrom(
      "",
      "\n",
      "{",
      nested(20_000),
      `{"format":1,"secret":"${REF.secret}","versions":${nested(6_000)}}`,
      '{"format":1,"secret":"other","versions":[]}',
      '{"format":1e9}',
      '{"__proto__":{"format":1}}',
      `{"format":1,"secret":"${REF.secret}","versions":[{"id":"x","values":{"__proto__":"y"},"keys":{}}]}`,
    ),
  );

  test("a companion of any text is refused, or holds nothing that a promotion would take", async () => {
    await fc.assert(
      fc.asyncProperty(call, text, async (method, damage) => {
        const world = await setUp();
        world.edit(
          (secret) => Object.assign(secret, { data: encoded({ "versions.json": damage }) }),
          COMPANION,
        );
        await outcome(run(method, world), SECRETS_OF_OURS);
        expect(world.entries()).toEqual({ LLM_KEY: OLD, DB: "keep" });
      }),
      runs(25),
    );
  });

  const ANNOTATIONS = ["version", "content", "keys", "fences", "installation", "journal"].map(
    (name) => `keyturn.dev/${name}`,
  );
  test("annotations of any text make current an edit at most, whose value is kept", async () => {
    const annotation = fc.constantFrom(...ANNOTATIONS, "kubectl.kubernetes.io/last-applied-configuration");
    await fc.assert(
      fc.asyncProperty(annotation, text, async (name, garbled) => {
        const world = await setUp();
        world.edit(({ metadata }) => Object.assign(metadata.annotations ?? {}, { [name]: garbled }));
        const view = await world.store.observe(REF);
        expectView(view);
        expect(view.current?.value?.reveal()).toBe(OLD);
        const { base } = view;
        const request = { rotation: "r9", hash: "h9", value: new Secret(NEW), base };
        const { version } = await world.store.stage(REF, request);
        await world.store.promote(REF, version, base);
        expect(world.entries()).toEqual({ LLM_KEY: NEW, DB: "keep" });
        expect((await world.store.read(REF, base))?.reveal()).toBe(OLD);
      }),
      runs(25),
    );
  });
});
