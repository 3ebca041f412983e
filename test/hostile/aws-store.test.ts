import type { SecretsManager } from "@aws-sdk/client-secrets-manager";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/lib/secret.ts";
import { awsStore } from "../../src/stores/aws/store.ts";
import type { SecretRef, SecretView, Store } from "../../src/stores/store.ts";
import { SecretsManagerModel } from "../aws/model.ts";
import { inProcessClient } from "../aws/serve.ts";
import { AWS_CONFIG } from "../stores/aws-bench.ts";
import { anyJson, expectWithout, outcome, runs } from "./generators.ts";
import { hastyClock } from "./provider-answers.ts";

const OLD = "sk-or-v1-old0123456789abcdef";
const NEW = "sk-or-v1-new0123456789abcdef";
const SECRETS = [OLD, NEW];
const REFS: SecretRef[] = [{ secret: "prod/payments", field: "KEY" }, { secret: "prod/plain" }];
const OWNER = { installation: "prod", journal: "j1" };
const random = { bytes: (n: number) => new Uint8Array(n), fraction: () => 0.5 };

/** What becomes of one call: its real output changed, or something thrown in its place, before or after it has its effect. */
type Twist =
  | { kind: "pass" }
  | { kind: "output"; change: (output: unknown) => unknown }
  | { kind: "throw"; thrown: unknown; after: boolean };

const name = fc.constantFrom(
  "ThrottlingException",
  "ResourceExistsException",
  "InvalidRequestException",
  "InvalidParameterException",
  "AccessDeniedException",
  "DecryptionFailure",
  "ExpiredTokenException",
  "InternalServiceError",
  "LimitExceededException",
  "TimeoutError",
  "SyntaxError",
  "constructor",
  "__proto__",
  "",
  7,
);
const message = fc.constantFrom(
  "",
  `value ${NEW} is bad`,
  "x".repeat(10_000),
  "Region is missing",
  "\u001b[2J\r\n",
  7,
);
const status = fc.constantFrom(undefined, 200, 302, 400, 404, 429, 500, 503, "500", null, Number.NaN);
const code = fc.constantFrom(undefined, "ECONNRESET", "ENOTFOUND", "ERR_PROXY_TUNNEL", 7, null);
const error = fc
  .record({
    name,
    message,
    code,
    cause: anyJson,
    $metadata: fc.oneof(fc.record({ httpStatusCode: status }), anyJson),
  })
  .map((fields) => {
    const made = new Error("");
    for (const [field, value] of Object.entries(fields)) Object.defineProperty(made, field, { value });
    return made;
  });
const thrown: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: error, weight: 6 },
  { arbitrary: anyJson, weight: 1 },
  {
    arbitrary: fc.constantFrom(undefined, Object.create(null), new Error(NEW, { cause: new Error(OLD) })),
    weight: 1,
  },
);

const odd: fc.Arbitrary<unknown> = fc.oneof(
  anyJson,
  fc.constantFrom<unknown>(
    { v1: ["AWSCURRENT"], v2: ["AWSCURRENT", "AWSPENDING"] },
    { v1: ["KEYTURN-holds:::::", "KEYTURN-", "KEYTURN-holds:x"] },
    { v1: "AWSCURRENT" },
    { v1: [null] },
    { ["__proto__"]: ["AWSCURRENT"] },
    [{ Key: "keyturn:fence", Value: "NaN" }],
    [
      { Key: "keyturn:installation", Value: "somebody" },
      { Key: "keyturn:journal", Value: 7 },
    ],
    [null],
    new Uint8Array([1, 2, 3]),
    "{}",
    '{"KEY":7}',
    '{"KEY":""}',
    '{"__proto__":{"KEY":"x"}}',
    "[".repeat(20_000),
    `{"KEY":"x","deep":${"[".repeat(6_000)}${"]".repeat(6_000)}}`,
    `{"KEY":"x","long":"${"y".repeat(66_000)}"}`,
    undefined,
  ),
);
const FIELDS = [
  "VersionIdsToStages",
  "SecretString",
  "Tags",
  "VersionStages",
  "DeletedDate",
  "PrimaryRegion",
  "RotationEnabled",
];
const change = fc.tuple(fc.nat(FIELDS.length), odd).map(([at, value]) => (output: unknown) => {
  const field = FIELDS[at];
  return field === undefined ? value : { ...(output as object), [field]: value };
});

const throwing = fc.record({ kind: fc.constant("throw" as const), thrown, after: fc.boolean() });
const twist: fc.Arbitrary<Twist> = fc.oneof(
  fc.record({ kind: fc.constant("output" as const), change }),
  throwing,
  fc.constant({ kind: "pass" as const }),
);

/** The SDK's client, with twists for its first calls from `arm` on. */
function twistedClient(client: SecretsManager) {
  let twists: Twist[] = [];
  const handler: ProxyHandler<SecretsManager> = {
    get(target, property) {
      const found: unknown = Reflect.get(target, property);
      if (typeof found !== "function") return found;
      return async (...args: unknown[]) => {
        const twist = twists.shift() ?? { kind: "pass" };
        if (twist.kind === "throw" && !twist.after) throw twist.thrown;
        const output: unknown = await found.apply(target, args);
        if (twist.kind === "throw") throw twist.thrown;
        return twist.kind === "output" ? twist.change(output) : output;
      };
    },
  };
  return {
    client: new Proxy(client, handler),
    arm: (next: readonly Twist[]) => {
      twists = [...next];
    },
  };
}

/** A secret with a current value and another one staged, and every call that a rotation may make on it. */
async function setUp(ref: SecretRef) {
  const clock = hastyClock();
  const model = new SecretsManagerModel({ clock });
  const { client, arm } = twistedClient(inProcessClient(model));
  const store = awsStore("aws", AWS_CONFIG, { clock, random, client });
  const text = (value: string) => (ref.field ? JSON.stringify({ OTHER: "keep", [ref.field]: value }) : value);
  model.perform("CreateSecret", {
    Name: ref.secret,
    ClientRequestToken: "first-".padEnd(36, "0"),
    SecretString: text(OLD),
  });
  await store.claim(ref, OWNER, { create: false });
  const { base } = await store.observe(ref);
  const request = { rotation: "r1", hash: "h1", value: new Secret(NEW), base };
  const { version } = await store.stage(ref, request);
  return { model, store, arm, base, version, again: { ...request, rotation: "r2", hash: "h2" } };
}

type World = Awaited<ReturnType<typeof setUp>>;
const CALLS: Record<string, (store: Store, ref: SecretRef, world: World) => Promise<unknown>> = {
  observe: async (store, ref) => expectView(await store.observe(ref)),
  claim: (store, ref) => store.claim(ref, { ...OWNER, journal: "j2" }, { create: true, takeOver: true }),
  create: (store) => store.claim({ secret: "prod/none" }, OWNER, { create: true }),
  stage: (store, ref, { again }) => store.stage(ref, again),
  read: (store, ref, { version }) => store.read(ref, version),
  promote: (store, ref, { version, base }) => store.promote(ref, version, base),
  fence: (store, ref, { base }) => store.fence(ref, base),
  drop: (store, ref, { version }) => store.drop(ref, version),
};

function expectView(view: SecretView): void {
  expect(view.base).toMatch(view.current ? /./s : /^absent(-\d+)?$/);
  if (view.current) expect(view.current.version).toBe(view.base);
  for (const { value } of [view.current, ...view.staged].filter((version) => version !== undefined))
    expect(value === undefined || value instanceof Secret).toBe(true);
  expectWithout(SECRETS, JSON.stringify(view));
}

describe("whatever AWS answers", () => {
  test.each(Object.keys(CALLS))(
    "%s ends as it promises, or in an error that tells nothing secret",
    async (method) => {
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...REFS),
          fc.array(twist, { minLength: 1, maxLength: 4 }),
          async (ref, twists) => {
            const world = await setUp(ref);
            world.arm(twists);
            await outcome((CALLS[method] as (typeof CALLS)[string])(world.store, ref, world), SECRETS);
            // Whatever was said, what was current is kept.
            const kept = world.model.secret(ref.secret)?.versions;
            expect(JSON.stringify(kept)).toContain(OLD);
          },
        ),
        runs(10),
      );
    },
  );

  test("a check of rights never throws, and changes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...REFS),
        fc.array(twist, { minLength: 1, maxLength: 6 }),
        async (ref, twists) => {
          const { model, store, arm } = await setUp(ref);
          const before = JSON.stringify(model.secret(ref.secret));
          arm(twists);
          const examined = await store.check?.(ref);
          expectWithout(SECRETS, JSON.stringify(examined));
          expect(JSON.stringify(model.secret(ref.secret))).toBe(before);
        },
      ),
      runs(12),
    );
  });

  test("what cannot be read is never shown as absent, and no other field is lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(throwing, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (twists, promoting) => {
          const [ref] = REFS as [SecretRef];
          const { model, store, arm, version, base, again } = await setUp(ref);
          arm(twists);
          const { value } = await outcome(store.observe(ref), SECRETS);
          if (value) expect(value.current?.value?.reveal()).toBe(OLD);
          arm(twists);
          await outcome<unknown>(
            promoting ? store.promote(ref, version, base) : store.stage(ref, again),
            SECRETS,
          );
          for (const { string } of model.secret(ref.secret)?.versions ?? [])
            expect(JSON.parse(string ?? "null")).toMatchObject({ OTHER: "keep" });
        },
      ),
      runs(12),
    );
  });
});
