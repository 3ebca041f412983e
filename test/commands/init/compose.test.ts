import { Command } from "commander";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { compose } from "../../../src/commands/init/compose.ts";
import { type Draft, draftOf, keyNameOf } from "../../../src/commands/init/draft.ts";
import { givenBy, missingIn, policyOptions } from "../../../src/commands/init/flags.ts";
import { judgeAt } from "../../../src/commands/init/judge.ts";
import { schemaFrom } from "../../../src/commands/init/surroundings.ts";

const RUNS = 200;
const judge = judgeAt("/srv/keyturn/rotation.yaml", {});

/** What the words of a command line say. */
function said(words: readonly string[]): Partial<Draft> {
  const command = new Command("init").exitOverride().configureOutput({ writeErr: () => {} });
  for (const option of policyOptions()) command.addOption(option);
  command.option("--namespace <name>").option("--context <name>");
  return givenBy(command.parse(words, { from: "user" }).opts());
}

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,20}(-[a-z0-9]{1,20})?$/);
const envName = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,30}$/);
const path = fc.stringMatching(/^\.?\/[a-z][a-z0-9 #:_.-]{0,20}[a-z]$/);
const optional = (option: string, value: fc.Arbitrary<string>) =>
  fc.option(
    value.map((text) => [`${option}=${text}`]),
    { nil: [] as string[] },
  );
const each = (...parts: fc.Arbitrary<string[]>[]) => fc.tuple(...parts).map((lists) => lists.flat());

const url = fc
  .record({
    scheme: fc.constantFrom("http", "https"),
    host: fc.oneof(fc.domain(), fc.ipV4(), fc.constant("localhost")),
    port: fc.integer({ min: 1, max: 65_535 }),
    path: fc.webPath(),
  })
  .map(({ scheme, host, port, path }) => `${scheme}://${host}:${port}${path}`);
const exec = fc
  .array(fc.stringMatching(/^[\w./:#'"%-]{1,12}$/), { minLength: 1, maxLength: 3 })
  .map((words) => `exec:${words.join(" ")}`);

const consumers = (probe: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(name, probe), { minLength: 1, maxLength: 3, selector: ([first]) => first })
    .map((list) => list.map(([who, how]) => `--consumer=${who}=${how}`));

const store = fc.oneof(
  each(fc.constant(["--store=file"]), optional("--store-path", path)),
  each(
    fc.constant(["--store=aws"]),
    optional("--region", fc.constantFrom("eu-west-1", "us-gov-west-1")),
    optional("--secret", fc.stringMatching(/^[A-Za-z0-9/_+=.@-]{1,40}$/)),
    fc.constantFrom([], ["--create"]),
  ),
  each(
    fc.constant(["--store=kubernetes"]),
    name.map((text) => [`--namespace=${text}`]),
    optional("--context", fc.stringMatching(/^[\w.:-]{1,30}$/)),
    optional(
      "--secret",
      name.filter((text) => !text.endsWith("-keyturn")),
    ),
    fc.constantFrom([], ["--create"]),
  ),
);

/** Words of which the loader has nothing to complain. */
const fitting = each(
  optional("--provider", fc.constantFrom("openrouter", "arouter")),
  fc.oneof(optional("--management-key-env", envName), optional("--management-key-file", path)),
  name.map((text) => ["--key", text]),
  fc.oneof(
    optional("--schedule", fc.constantFrom("30d", "12h", "none")),
    each(
      fc.constantFrom(["--schedule=0 10 * * 2"], ["--schedule=*/5 8-17 * * 1-5"]),
      optional("--timezone", fc.constantFrom("Europe/Berlin", "America/New_York")),
    ),
  ),
  store,
  optional("--field", fc.stringMatching(/^[A-Za-z_][\w.-]{0,20}$/)),
  fc.oneof(
    each(consumers(fc.oneof(url, exec)), optional("--retire-after", fc.constantFrom("0s", "10m", "2d"))),
    fc.constantFrom("1h", "30d").map((text) => [`--retire-after=${text}`]),
  ),
  optional("--notify-env", envName),
);

const anyText = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.constantFrom(
    "",
    "true",
    "null",
    "~",
    "1e3",
    "0x10",
    "- a",
    "# no",
    `\${HOME}`,
    "a: b",
    "'",
    '"',
    "*x",
    "&x",
    "|",
  ),
);
const anything = fc
  .array(
    fc.tuple(
      fc.constantFrom(
        "--management-key-env",
        "--management-key-file",
        "--workspace",
        "--key",
        "--adopt",
        "--schedule",
        "--timezone",
        "--store-path",
        "--secret",
        "--field",
        "--retire-after",
        "--notify-env",
      ),
      anyText,
    ),
    { maxLength: 6 },
  )
  .map((pairs) => new Map(pairs))
  .filter((pairs) => !(pairs.has("--management-key-env") && pairs.has("--management-key-file")))
  .map((pairs) => [...pairs].map(([option, text]) => `${option}=${text}`));

describe("the policy that rotate init writes", () => {
  it("is valid and says what the options say, whichever of them are given", async () => {
    await fc.assert(
      fc.asyncProperty(fitting, async (words) => {
        const given = said(words);
        expect(missingIn(given)).toEqual([]);
        const judgement = await judge(given);
        expect(judgement, words.join(" ")).not.toHaveProperty("problems");
        if (!("loaded" in judgement)) return;
        const { policy } = judgement.loaded;
        const draft = draftOf(given);
        expect(policy.keys).toHaveLength(1);
        const [key] = policy.keys;
        expect(key).toMatchObject({ name: draft.key, provider: draft.provider });
        expect(key?.store).toMatchObject({ secret: draft.secret });
        expect(key?.store.field).toBe(draft.field);
        const names = key?.consumers === "none" ? [] : key?.consumers.map((consumer) => consumer.name);
        expect(names).toEqual(draft.consumers.map((consumer) => consumer.name));
        expect(Object.values(policy.providers)[0]?.managementKey).toEqual(
          "env" in draft.managementKey ? draft.managementKey : { file: expect.stringContaining("/") },
        );
      }),
      { numRuns: RUNS },
    );
  });

  it("is refused by option, and never written broken, whatever text an option holds", async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (words) => {
        const judgement = await judge(said(words));
        if ("loaded" in judgement) return;
        expect(judgement.problems.length).toBeGreaterThan(0);
        for (const { option, message } of judgement.problems) {
          expect(words.map((word) => word.split("=")[0])).toContain(option);
          expect(message).not.toMatch(/YAML/);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it("takes over what the provider shows of an adopted key, however it is named", async () => {
    const issued = fc.record({
      hash: fc.stringMatching(/^[0-9a-f]{64}$/),
      name: anyText,
      label: anyText,
      limit: fc.option(fc.integer({ min: 0, max: 1_000 })),
      limitReset: fc.constantFrom("daily" as const, "weekly" as const, "monthly" as const, null),
      includeByokInLimit: fc.boolean(),
      createdAt: fc.constant("2026-01-01T00:00:00Z"),
      expiresAt: fc.constantFrom(null, "2026-07-01T00:00:00Z"),
      raw: fc.constant({}),
    });
    await fc.assert(
      fc.asyncProperty(issued, async (key) => {
        const given: Partial<Draft> = {
          key: keyNameOf(key),
          adopt: { hash: key.hash, issued: key },
          consumers: [{ name: "chat", probe: { urls: ["http://127.0.0.1:8080/healthz"] } }],
        };
        const judgement = await judge(given);
        expect(judgement).not.toHaveProperty("problems");
        if (!("loaded" in judgement)) return;
        const [policy] = judgement.loaded.policy.keys;
        expect(policy?.adopt).toEqual({ hash: key.hash });
        expect(policy?.settings.limit).toBe(key.limit ?? undefined);
        expect(policy?.settings.expiresAfter).toBeUndefined();
      }),
      { numRuns: RUNS },
    );
  });

  it("suggests an expiry as long as that of the key found, without deciding it", () => {
    const issued = {
      hash: "ab".repeat(32),
      createdAt: "2026-01-01T00:00:00Z",
      expiresAt: "2026-02-15T00:00:00Z",
      raw: {},
    };
    expect(compose(draftOf({ adopt: { hash: issued.hash, issued } }))).toContain("#   expiresAfter: 45d");
  });

  it("names the key as the rotation that issued it did", () => {
    const named = (text: string) => keyNameOf({ hash: "", name: text, raw: {} });
    expect(named("keyturn/default/payments-api/2026-11-21/1f2a60c95bd7")).toBe("payments-api");
    expect(named("Payments API (prod)")).toBe("payments-api-prod");
    expect(named("Zürich")).toBe("zu-rich");
    expect(named("…")).toBe("api-key");
  });

  it("names its schema from its own folder, and from the root where they have none in common", () => {
    expect(schemaFrom("/srv/app", "/srv/app/node_modules/keyturn/config/s.json")).toBe(
      "./node_modules/keyturn/config/s.json",
    );
    expect(schemaFrom("/srv/app/deploy", "/srv/app/node_modules/keyturn/config/s.json")).toBe(
      "../node_modules/keyturn/config/s.json",
    );
    expect(schemaFrom("/etc/keyturn", "/usr/lib/node_modules/keyturn/config/s.json")).toBe(
      "/usr/lib/node_modules/keyturn/config/s.json",
    );
    expect(schemaFrom("/srv", "/home/me/.npm/_npx/1/node_modules/keyturn/config/s.json")).toBeUndefined();
  });

  it("has instances of one service under one name, and tells a command the fingerprint", () => {
    const given = said([
      "--key",
      "a",
      "--consumer",
      "p=http://10.0.0.1/",
      "--consumer",
      "p=http://10.0.0.2/",
    ]);
    const text = compose(
      draftOf({
        ...given,
        consumers: [
          ...(given.consumers ?? []),
          ...(said(["--consumer", "b=exec:./check now"]).consumers ?? []),
        ],
      }),
    );
    expect(parse(text).keys[0].consumers).toEqual([
      { name: "p", probe: { http: ["http://10.0.0.1/", "http://10.0.0.2/"] } },
      { name: "b", probe: { exec: ["./check", "now", "{fingerprint}"] } },
    ]);
  });
});
