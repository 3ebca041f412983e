// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { loadPolicy } from "../../src/policy/load.ts";
import { faults, load, policyFile, policyText } from "./setup.ts";

const shipped = resolve(import.meta.dirname, "../../rotation.yaml");

test("the shipped policy is valid with nothing set, and points at the real OpenRouter", async () => {
  const { policy, warnings } = await loadPolicy(shipped, {});
  expect(warnings).toEqual([]);
  expect(policy.providers.openrouter?.baseUrl).toBe("https://openrouter.ai/api/v1");
  expect(policy.stores.local).toMatchObject({ path: join(dirname(shipped), ".keyturn/secrets") });
  expect(policy.keys.map((key) => key.name)).toEqual(["payments-api"]);
});

test("the shipped policy takes its addresses and paths from the environment", async () => {
  const { policy } = await loadPolicy(shipped, {
    OPENROUTER_BASE_URL: "http://127.0.0.1:4000/api/v1",
    KEYTURN_STORE: "/sandbox/secrets",
    KEYTURN_JOURNAL: "/sandbox/journal.db",
    PAYMENTS_URL: "http://127.0.0.1:4001",
    BILLING_URL: "http://127.0.0.1:4002",
  });
  const { consumers } = policy.keys[0] ?? {};
  expect(policy.providers.openrouter?.baseUrl).toBe("http://127.0.0.1:4000/api/v1");
  expect(policy.stores.local).toMatchObject({ path: "/sandbox/secrets" });
  expect(policy.journal).toEqual({ type: "sqlite", path: "/sandbox/journal.db" });
  expect(Array.isArray(consumers) && consumers.map(({ probe }) => probe.http?.urls)).toEqual([
    ["http://127.0.0.1:4001/healthz"],
    ["http://127.0.0.1:4002/healthz"],
  ]);
});

test("a short policy gets the documented defaults", async () => {
  const { policy } = await load(policyText());
  expect(policy.installation).toBe("default");
  expect(policy.keys[0]).toMatchObject({
    timezone: "Etc/UTC",
    spread: 0,
    retry: { after: 3_600_000, max: 86_400_000 },
    suspend: false,
    windows: [],
    confirm: { timeout: 3_600_000, interval: 5_000, successThreshold: 3, onTimeout: "hold" },
    retire: { after: 0, requireQuiet: false, watch: 60_000, keepDisabledFor: 0 },
    settingsDrift: "report",
  });
});

test("defaults fill in what a key leaves out: maps merge deeply, lists and words replace", async () => {
  const { policy } = await load(
    policyText({
      top: [
        "defaults:",
        "  timezone: Europe/Berlin",
        "  confirm: { timeout: 10m, interval: 1s }",
        "  formerly: [old-a]",
        "  store: { use: local, secret: unused }",
      ].join("\n"),
      key: "confirm: { timeout: 20m }\nformerly: [older-a]",
    }),
  );
  expect(policy.keys[0]).toMatchObject({
    timezone: "Europe/Berlin",
    confirm: { timeout: 1_200_000, interval: 1_000, successThreshold: 3 },
    formerly: ["older-a"],
    store: { use: "local", secret: "a" },
  });
  expect(policy).not.toHaveProperty("defaults");
});

test("relative paths start at the policy's folder, and programs without a folder are left to PATH", async () => {
  const text = policyText({
    without: ["consumers"],
    key: `
consumers:
  - name: api
    probe:
      http:
        url: https://api.internal/healthz
        auth: { bearer: { file: token } }
        headers: { X-Extra: { file: ./extra } }
        tls: { ca: certs/ca.pem, serverName: api }
      resolve: all
    reload: { exec: [./reload, ./argument] }
  - { name: batch, probe: { exec: [check, "{fingerprint}"] } }
notify: [{ http: { url: { file: hook } } }]`,
  });
  const file = await policyFile(text);
  const { policy } = await loadPolicy(file, {});
  const at = (path: string) => join(dirname(file), path);
  expect(policy.providers.arouter?.managementKey).toEqual({ file: at("arouter.key") });
  expect(policy.journal).toEqual({ type: "sqlite", path: at(".keyturn/journal.db") });
  expect(policy.keys[0]?.notify[0]?.http.urls).toEqual([{ file: at("hook") }]);
  expect(policy.keys[0]?.consumers).toMatchObject([
    {
      probe: {
        http: {
          auth: { bearer: { file: at("token") } },
          headers: { "X-Extra": { file: at("extra") } },
          tls: { ca: at("certs/ca.pem"), serverName: "api" },
        },
      },
      reload: { exec: [at("reload"), "./argument"] },
    },
    { probe: { exec: ["check", "{fingerprint}"] } },
  ]);
});

test("${NAME} is filled in, an empty variable takes its default, and $${ stands for itself", async () => {
  const text = policyText({ key: 'timezone: ${ZONE:-Europe/Paris}\nadopt: { hash: "$${X}-${HASH}" }' });
  const { policy } = await load(text, { ZONE: "", HASH: "abc" });
  expect(policy.keys[0]).toMatchObject({ timezone: "Europe/Paris", adopt: { hash: "${X}-abc" } });
});

test("anchors and aliases work", async () => {
  const text = policyText({ top: "defaults: { confirm: &pace { interval: 2s } }", key: "confirm: *pace" });
  expect((await load(text)).policy.keys[0]?.confirm.interval).toBe(2_000);
});

test("a fault in defaults is told once, at its own place, however many keys take it over", async () => {
  const second =
    "- { name: b, provider: openrouter, schedule: none, store: { use: local, secret: b }, consumers: none }";
  const text = `${policyText({ top: "defaults: { confirm: { timeout: 5x }, timezone: Europe/Berln, retire: { after: 1h } }" })}  ${second}\n`;
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:7:33  defaults.confirm.timeout: found "5x"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:7:49  defaults.timezone: found "Europe/Berln", no known time zone; accepted: a name like Europe/Berlin or Etc/UTC",
      "did you mean "Europe/Berlin"?",
    ]
  `);
});

test("a default that every key replaces is judged all the same, and may be incomplete", async () => {
  const text = policyText({ top: "defaults: { store: { create: maybe }, name: x }", key: "" });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:7:30  defaults.store.create: found "maybe"; accepted: true or false",
      "rotation.yaml:7:39  defaults.name: unknown field; accepted: formerly, provider, schedule, timezone, spread, renewBefore, retry, suspend, windows, settings, settingsDrift, store, consumers, confirm, retire, notify, adopt",
      "each key has a name of its own",
    ]
  `);
});

test("what a key lacks is said of the key, although defaults have the map around it", async () => {
  const text = policyText({ top: "defaults: { store: { use: local } }", without: ["store"] });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:9:5  keys[0].store.secret: is missing; accepted: text",
    ]
  `);
});
