// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { expect, test } from "vitest";
import { complaint, faults, policyText } from "./setup.ts";

test("every fault is reported at once, in the order of the file, with the line and a caret", async () => {
  const text = policyText({
    without: ["provider"],
    key: "provider: openruter\nconfrim: { timeout: 1h }\nspread: 30\nsettings: { limitReset: mothly }",
  });
  expect(await complaint(text)).toMatchInlineSnapshot(`
    "rotation.yaml:12:15  keys[0].provider: found "openruter", which is not under providers; accepted: openrouter, arouter
       12 |     provider: openruter
          |               ^
          did you mean "openrouter"?
    rotation.yaml:13:5  keys[0].confrim: unknown field; accepted: name, formerly, provider, schedule, timezone, spread, renewBefore, retry, suspend, windows, settings, settingsDrift, store, consumers, confirm, retire, notify, adopt
       13 |     confrim: { timeout: 1h }
          |     ^
          did you mean "confirm"?
    rotation.yaml:14:13  keys[0].spread: found 30; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years
       14 |     spread: 30
          |             ^
          add a unit: 30s
    rotation.yaml:15:29  keys[0].settings.limitReset: found "mothly"; accepted: daily, weekly, monthly or null
       15 |     settings: { limitReset: mothly }
          |                             ^
          did you mean "monthly"?"
  `);
});

test("wrong types say what was found and what is accepted", async () => {
  const text = policyText({
    without: ["schedule", "consumers"],
    key: `
schedule: 5
consumers: api
suspend: yes
settings: { limit: "150", expiresAt: tomorrow }
retire: 10m
windows: { kind: deny }
confirm: { successThreshold: 0 }
timezone:`,
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:11:15  keys[0].schedule: found 5; accepted: cron of five fields like "0 10 * * 2", { every: 30d }, or none",
      "rotation.yaml:12:16  keys[0].consumers: found "api"; accepted: a list of the services that use the key, each with a name and a probe; or \`none\` together with a retire.after longer than 0s",
      "rotation.yaml:13:14  keys[0].suspend: found "yes"; accepted: true or false",
      "write true",
      "rotation.yaml:14:24  keys[0].settings.limit: found "150"; accepted: a number of at least 0 or null",
      "write 150 without quotes",
      "rotation.yaml:14:42  keys[0].settings.expiresAt: found "tomorrow"; accepted: an instant like 2027-12-31T23:59:59Z",
      "rotation.yaml:15:13  keys[0].retire: found "10m"; accepted: { after, requireQuiet, watch, keepDisabledFor }",
      "rotation.yaml:16:14  keys[0].windows: found a map of kind; accepted: a list of { kind, schedule, duration }",
      "rotation.yaml:17:34  keys[0].confirm.successThreshold: found 0; accepted: a whole number from 1 to 100",
      "rotation.yaml:18:14  keys[0].timezone: found nothing; accepted: text",
      "give it a value, or remove the line",
    ]
  `);
});

test("unknown fields are refused with the nearest field", async () => {
  const text = policyText({
    top: "jurnal: { path: x }\ndefaults: { retire: { keepDisabled: 1d } }",
    key: "schedul: none\n<<: { suspend: true }\ncompletely: different",
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:7:1  jurnal: unknown field; accepted: version, installation, providers, stores, journal, server, keys, defaults",
      "did you mean "journal"?",
      "rotation.yaml:8:23  defaults.retire.keepDisabled: unknown field; accepted: after, requireQuiet, watch, keepDisabledFor",
      "did you mean "keepDisabledFor"?",
      "rotation.yaml:15:5  keys[0].schedul: unknown field; accepted: name, formerly, provider, schedule, timezone, spread, renewBefore, retry, suspend, windows, settings, settingsDrift, store, consumers, confirm, retire, notify, adopt",
      "did you mean "schedule"?",
      "rotation.yaml:16:5  keys[0]["<<"]: unknown field; accepted: name, formerly, provider, schedule, timezone, spread, renewBefore, retry, suspend, windows, settings, settingsDrift, store, consumers, confirm, retire, notify, adopt",
      "put what keys share under \`defaults\`",
      "rotation.yaml:17:5  keys[0].completely: unknown field; accepted: name, formerly, provider, schedule, timezone, spread, renewBefore, retry, suspend, windows, settings, settingsDrift, store, consumers, confirm, retire, notify, adopt",
    ]
  `);
});

test("a missing field is reported at the map that lacks it", async () => {
  expect(
    await faults(policyText({ without: ["version", "stores", "consumers", "schedule"] })),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:1:1  version: is missing; accepted: 1",
      "rotation.yaml:1:1  stores: is missing; accepted: a map",
      "rotation.yaml:4:3  providers.local.managementKey: is missing; accepted: { env: NAME } or { file: PATH }",
      "rotation.yaml:4:18  providers.local.type: found "file"; accepted: openrouter, arouter",
      "rotation.yaml:4:24  providers.local.path: unknown field; accepted: type, managementKey, baseUrl, headers, rateLimit",
      "rotation.yaml:6:5  keys[0].schedule: is missing; accepted: cron of five fields like "0 10 * * 2", { every: 30d }, or none",
      "rotation.yaml:6:5  keys[0].consumers: is missing; accepted: a list of the services that use the key, each with a name and a probe; or \`none\` together with a retire.after longer than 0s",
      "rotation.yaml:8:19  keys[0].store.use: found "local", which is not under stores; accepted: nothing, as stores is empty",
    ]
  `);
  expect(await faults("version: 1\nproviders: {}\nstores: {}\nkeys: []\n")).toMatchInlineSnapshot(`
    [
      "rotation.yaml:4:7  keys: found an empty list; accepted: a list of keys",
    ]
  `);
});

test("a key without consumers explains the two choices", async () => {
  expect(await faults(policyText({ without: ["consumers"], key: "consumers: []" }))).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:16  keys[0].consumers: found an empty list; accepted: a list of the services that use the key, each with a name and a probe; or \`none\` together with a retire.after longer than 0s",
    ]
  `);
});

test("of several forms the one that was meant is explained", async () => {
  const text = policyText({
    top: "",
    without: ["schedule", "consumers"],
    key: `
schedule: { evry: 3d }
consumers:
  - { name: b, probe: { http: { url: http://b:1/, auth: { bearer: { evn: X } } } } }
  - { name: c, probe: { http: { url: http://c:1/, auth: { basic: { username: u } } } } }
  - { name: d, probe: { http: { url: http://d:1/, auth: { token: X } } } }
  - { name: e, probe: { http: { url: http://e:1/, auth: { bearer: { env: X, file: y } } } } }
  - { name: f, probe: { http: { ulr: http://f:1/ } } }
  - { name: g, probe: { http: 8080 } }`,
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:11:5  keys[0].schedule.every: is missing; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:11:17  keys[0].schedule.evry: unknown field; accepted: every",
      "did you mean "every"?",
      "rotation.yaml:13:73  keys[0].consumers[0].probe.http.auth.bearer.evn: unknown field; accepted: env, file",
      "did you mean "env"?",
      "rotation.yaml:14:63  keys[0].consumers[1].probe.http.auth.basic.password: is missing; accepted: { env: NAME } or { file: PATH }",
      "rotation.yaml:15:63  keys[0].consumers[2].probe.http.auth.token: unknown field; accepted: bearer, basic, header",
      "rotation.yaml:16:71  keys[0].consumers[3].probe.http.auth.bearer: found a map of env, file; accepted: { env: NAME } or { file: PATH }",
      "rotation.yaml:17:29  keys[0].consumers[4].probe.http.url: is missing; accepted: an http:// or https:// URL, a list of them, or { env: NAME } or { file: PATH } that holds one",
      "rotation.yaml:17:37  keys[0].consumers[4].probe.http.ulr: unknown field; accepted: url, method, headers, body, auth, tls, proxy",
      "did you mean "url"?",
      "rotation.yaml:18:35  keys[0].consumers[5].probe.http: found 8080; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
    ]
  `);
});

test("malformed probe URLs are refused", async () => {
  const urls = [
    "htp://api/healthz",
    "api:8080/healthz",
    "http://:80/",
    "http://api:99999/",
    '"http://a b/"',
    "https://",
  ];
  const consumers = urls.map((url, index) => `  - { name: c${index}, probe: { http: ${url} } }`).join("\n");
  expect(
    await faults(policyText({ without: ["consumers"], key: `consumers:\n${consumers}` })),
  ).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:36  keys[0].consumers[0].probe.http: found "htp://api/healthz"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
      "rotation.yaml:14:36  keys[0].consumers[1].probe.http: found "api:8080/healthz"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
      "rotation.yaml:15:36  keys[0].consumers[2].probe.http: found "http://:80/"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
      "rotation.yaml:16:36  keys[0].consumers[3].probe.http: found "http://api:99999/"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
      "rotation.yaml:17:36  keys[0].consumers[4].probe.http: found "http://a b/"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
      "rotation.yaml:18:36  keys[0].consumers[5].probe.http: found "https://"; accepted: an http:// or https:// URL, a list of them, or { url, method, headers, body, auth, tls, proxy }",
    ]
  `);
});

test("a missing variable is reported where it is used, and once", async () => {
  const text = policyText({
    without: ["consumers"],
    key: "consumers: [{ name: c, probe: { http: '${HOST}:${PORT}/${1}' } }]",
  });
  expect(await faults(text, { PORT: "" })).toMatchInlineSnapshot(`
    [
      "rotation.yaml:12:43  keys[0].consumers[0].probe.http: environment variable HOST is not set",
      "set HOST, or give a default: \${HOST:-…}",
      "rotation.yaml:12:43  keys[0].consumers[0].probe.http: environment variable PORT is empty",
      "set PORT, or give a default: \${PORT:-…}",
      "rotation.yaml:12:43  keys[0].consumers[0].probe.http: found \${1}; accepted: \${NAME} or \${NAME:-default}",
      "write $\${ where \${ itself is meant",
    ]
  `);
});

test("a faulty value from the environment is shown as it is written, not as it was filled in", async () => {
  const text = policyText({ key: "spread: ${SPREAD}" });
  expect(await faults(text, { SPREAD: "hunter2" })).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:13  keys[0].spread: found "\${SPREAD}" as the environment fills it in; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
    ]
  `);
});

test("durations need a unit and an end", async () => {
  const text = policyText({
    key: "spread: 1w\nrenewBefore: -1h\nretire: { after: 99999999999d, watch: 1.5h, keepDisabledFor: 1 h }",
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:13:13  keys[0].spread: found "1w"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:14:18  keys[0].renewBefore: found "-1h"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:15:22  keys[0].retire.after: found "99999999999d"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:15:43  keys[0].retire.watch: found "1.5h"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
      "rotation.yaml:15:66  keys[0].retire.keepDisabledFor: found "1 h"; accepted: a duration like 500ms, 90s, 15m, 24h or 30d, of at most 100 years",
    ]
  `);
});

test("file modes that YAML reads as numbers, and names that are no names, get their hint", async () => {
  const text = policyText({
    top: "  shared: { type: file, path: ./s, mode: 0640 }\n  My Store: { type: file, path: ./t }\n  vault: { type: vault, path: x }",
  });
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:7:42  stores.shared.mode: found 640; accepted: a file mode like "0600", in quotes",
      "write it in quotes: "0640"",
      "rotation.yaml:8:3  stores["My Store"]: found this name; accepted: a name of lower-case letters, digits and hyphens, 63 at most, that starts with a letter or digit",
      "rotation.yaml:9:18  stores.vault.type: found "vault"; accepted: file or aws-secrets-manager or kubernetes",
    ]
  `);
});
