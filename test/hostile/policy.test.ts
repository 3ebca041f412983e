// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { formatFaults, loadPolicy, PolicyError } from "../../src/policy/load.ts";
import { policySchema } from "../../src/policy/schema.ts";
import { expectWithout, mutated, nested, runs, shownOf, soup } from "./generators.ts";

const CANARIES = ["sk-or-v1-canary0123456789", "hunter2canary"];
const ENV = { OPENROUTER_MANAGEMENT_KEY: "sk-or-v1-canary0123456789", PLAIN: "hunter2canary" };
const NOW = Date.parse("2027-03-02T12:00:00Z");

const VALID = {
  version: 1,
  installation: "prod-eu",
  providers: {
    openrouter: {
      type: "openrouter",
      managementKey: { env: "OPENROUTER_MANAGEMENT_KEY" },
      baseUrl: "${BASE_URL:-https://openrouter.ai/api/v1}",
      headers: { "HTTP-Referer": "https://example.org" },
      rateLimit: { requestsPerSecond: 10, concurrency: 8 },
    },
  },
  stores: {
    local: { type: "file", path: "./secrets" },
    aws: { type: "aws-secrets-manager", region: "eu-west-1", tags: { team: "a" } },
  },
  journal: { type: "sqlite", path: "./journal.db" },
  defaults: { timezone: "Etc/UTC", retry: { after: "1h", max: "24h" } },
  keys: [
    {
      name: "payments-api",
      provider: "openrouter",
      schedule: { every: "30d" },
      renewBefore: "10d",
      settings: { limit: 150, limitReset: "monthly", expiresAfter: "45d" },
      store: { use: "aws", secret: "prod/payments", field: "KEY" },
      consumers: [
        {
          name: "payments",
          probe: { http: "http://payments:8080/healthz", resolve: "all", instances: 2 },
          reload: { http: { method: "POST", url: "http://payments:8080/-/reload" } },
        },
        {
          name: "billing",
          probe: {
            http: { url: ["https://10.0.0.7:9443/status"], auth: { bearer: { file: "/run/token" } } },
            expect: { status: 200, json: { "/llm/key": "{fingerprint}" } },
          },
        },
        { name: "batch", probe: { exec: ["./check", "{fingerprint}"], timeout: "20s" } },
      ],
      confirm: { timeout: "1h", interval: "5s", successThreshold: 3, onTimeout: "hold" },
      retire: { after: "10m", watch: "1m", keepDisabledFor: "24h" },
    },
  ],
};

/** Dearer to judge: its instants are computed for years. */
const BY_CRON = {
  ...VALID,
  keys: VALID.keys.map((key) => ({
    ...key,
    schedule: "0 10 * * 2",
    windows: [{ kind: "deny", schedule: "0 16 * * 5", duration: "64h" }],
  })),
};

const folder = mkdtempSync(join(tmpdir(), "keyturn-hostile-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "rotation.yaml");

/** Loads a text; what is not a valid policy must be a PolicyError that tells where and shows no secret. */
async function load(text: string | Uint8Array): Promise<"valid" | PolicyError> {
  await writeFile(file, text);
  try {
    const { policy, warnings } = await loadPolicy(file, ENV, { now: NOW });
    expect(policySchema.shape.version.parse(policy.version)).toBe(1);
    expectWithout(CANARIES, JSON.stringify(warnings));
    expectFinite(policy);
    return "valid";
  } catch (thrown) {
    if (!(thrown instanceof PolicyError)) throw thrown;
    expect(thrown.faults.length).toBeGreaterThan(0);
    for (const { line, column, message } of thrown.faults) {
      // A fault of the file as a whole, one that is no text, has no place in it.
      expect(line > 0 === column > 0).toBe(true);
      expect(line).toBeGreaterThanOrEqual(typeof text === "string" ? 1 : 0);
      expect(message).not.toBe("");
    }
    const shown = [formatFaults(thrown, { color: false }), JSON.stringify(thrown.faults), shownOf(thrown)];
    expectWithout(CANARIES, shown.join("\n"));
    expect(formatFaults(thrown, { color: false })).not.toMatch(/[^\P{C}\n\p{Cs}\p{Co}\p{Cn}\p{Cf}]/u);
    return thrown;
  }
}

/** No duration, instant or count of a valid policy is NaN, endless or negative. */
function expectFinite(value: unknown): void {
  if (typeof value === "number") expect(Number.isFinite(value) && value >= 0).toBe(true);
  if (typeof value === "object" && value !== null)
    for (const inner of Object.values(value)) expectFinite(inner);
}

test("the policy that is damaged below is valid before", async () => {
  for (const policy of [VALID, BY_CRON]) expect(await load(stringify(policy))).toBe("valid");
});

test("arbitrary bytes are a policy or a policy error", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => void (await load(bytes))),
    runs(60),
  );
});

test("text in pieces of YAML is a policy or a policy error at a place", async () => {
  const pieces = [
    ..."&a |*a|<<: |? |- |{|}|[|]|: |\n|\n  |version: 1|!!binary |!!set |---\n|...\n|%YAML 1.2\n|\t|# |'|\"|| |> |, |__proto__: |keys: |providers: |name: |${PLAIN}|${|env: |managementKey: ".split(
      "|",
    ),
    "|\n",
    "\u0000",
    "\ufeff",
    "\r",
    "\u2028",
    "1e999",
    ".nan",
    "0x10",
    "2027-01-01",
    CANARIES[0] as string,
  ];
  await fc.assert(
    fc.asyncProperty(soup(pieces), async (text) => void (await load(text))),
    runs(60),
  );
});

test("a valid policy with anything put anywhere is a policy or a policy error at a place", async () => {
  const references = fc.constantFrom(
    "${PLAIN}",
    "x ${PLAIN} y",
    "https://${PLAIN}@host/",
    "${PLAIN",
    "$${PLAIN}",
    "${NOT_SET}",
    "${NOT_SET:-5s}",
    "${OPENROUTER_MANAGEMENT_KEY}",
    CANARIES[0],
    "5s",
    "-5s",
    "1e400",
    "99999999999999999999d",
    "0 0 31 2 *",
    { env: "PLAIN" },
    { every: "0s" },
    { http: "${PLAIN}" },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        { arbitrary: mutated(VALID, references), weight: 5 },
        { arbitrary: mutated(BY_CRON, references), weight: 1 },
      ),
      fc.boolean(),
      async (policy, asJson) => {
        await load(asJson ? JSON.stringify(policy) : stringify(policy, { aliasDuplicateObjects: false }));
      },
    ),
    runs(50),
  );
});

/** Every string of a document, one after another replaced by another. */
function* eachReplaced(value: unknown, by: string): Generator<unknown> {
  if (typeof value === "string") yield by;
  if (typeof value !== "object" || value === null) return;
  for (const [name, inner] of Object.entries(value))
    for (const other of eachReplaced(inner, by))
      yield Array.isArray(value) ? value.with(Number(name), other) : { ...value, [name]: other };
}

test("what the environment fills into any field is shown as it is written", async () => {
  for (const policy of eachReplaced(VALID, "${PLAIN}")) await load(stringify(policy));
  const [key] = BY_CRON.keys;
  for (const schedule of ["${PLAIN}", "0 ${PLAIN} * * *"])
    await load(
      stringify({
        ...VALID,
        keys: [{ ...key, schedule, windows: [{ kind: "deny", schedule, duration: schedule }] }],
      }),
    );
});

test("an unknown field is always a fault that names the known ones", async () => {
  const word = fc.stringMatching(/^[a-z]{1,12}Zz$/);
  await fc.assert(
    fc.asyncProperty(word, async (name) => {
      const key = { ...VALID.keys[0], [name]: 1 };
      const error = await load(stringify({ ...VALID, keys: [key] }));
      expect(error).toBeInstanceOf(PolicyError);
      const fault = (error as PolicyError).faults.find(({ path }) => path === `keys[0].${name}`);
      expect(fault?.message).toContain("unknown field; accepted: ");
      expect(fault?.message).toContain("schedule");
    }),
    runs(8),
  );
});

const bomb = [
  "a: &a [x, x, x, x, x, x, x, x, x, x]",
  ..."bcdefghij"
    .split("")
    .map((name, at) => `${name}: &${name} [${Array(10).fill(`*${"abcdefghi"[at]}`).join(", ")}]`),
].join("\n");

test.each<[string, string | Uint8Array]>([
  ["aliases of aliases of aliases", bomb],
  ["an alias of itself", "a: &a [*a]"],
  ["an alias without an anchor", "a: *b"],
  ["merge keys", "version: 1\nbase: &b { x: 1 }\nkeys: [{ <<: *b }]"],
  ["lists nested twenty thousand deep", nested(20_000)],
  ["maps nested ten thousand deep", `${"{a: ".repeat(10_000)}1${"}".repeat(10_000)}`],
  [
    "block maps nested a thousand deep",
    Array.from({ length: 1_000 }, (_, at) => `${" ".repeat(at)}a:`).join("\n"),
  ],
  ["a field's name of a mebibyte", `${"k".repeat(1_048_576)}: 1`],
  ["a quoted string of a mebibyte that does not end", `version: "${"x".repeat(1_048_576)}`],
  ["a map for a field's name", "? { a: 1 }\n: 2"],
  ["a prototype", "__proto__: { version: 1 }\nconstructor: 1\nkeys: [{ __proto__: { name: a } }]"],
  ["the same field over and over", "version: 1\n".repeat(5_000)],
  ["three thousand faults on one line", `version: 1\nkeys: [${Array(3_000).fill("1").join(",")}]`],
  ["three thousand faulty lines", `version: 1\nkeys:\n${"- 1\n".repeat(3_000)}`],
  ["three thousand unknown fields", Array.from({ length: 3_000 }, (_, at) => `f${at}: 1`).join("\n")],
  [
    "three thousand variables that are not set",
    `version: 1\nkeys: [${Array(3_000).fill('"${NO}"').join(",")}]`,
  ],
  [
    "three thousand literal keys",
    `version: 1\nkeys: [${Array(3_000).fill('"sk-or-v1-canary0123456789"').join(",")}]`,
  ],
  ["brackets that do not end", "[".repeat(20_000)],
  ["a thousand documents", "--- 1\n".repeat(1_000)],
  ["NUL", "version: 1\u0000\nkeys: []"],
  ["a byte-order mark in the middle", "version: 1\n\ufeffkeys: []"],
  ["invalid UTF-8", new Uint8Array([0x76, 0xff, 0xfe, 0x3a])],
  ["UTF-16", Buffer.from("\ufeffversion: 1", "utf16le")],
  ["three thousand anchors", Array.from({ length: 3_000 }, (_, at) => `- &a${at} 1`).join("\n")],
])("%s is a policy error", async (_name, text) => {
  expect(await load(text)).toBeInstanceOf(PolicyError);
});

test("a byte-order mark before a valid policy does no harm", async () => {
  expect(await load(`\ufeff${stringify(VALID)}`)).toBe("valid");
  expect(parse(stringify(VALID))).toEqual(VALID);
});
