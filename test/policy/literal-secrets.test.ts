// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { loadPolicy, PolicyError } from "../../src/policy/load.ts";
import { complaint, faults, policyFile, policyText } from "./setup.ts";

const KEY = "sk-or-v1-0123456789abcdef";

test("a literal management key is refused and never printed", async () => {
  const text = policyText().replace("{ env: OPENROUTER_MANAGEMENT_KEY }", KEY);
  expect(await complaint(text)).toMatchInlineSnapshot(`
    "rotation.yaml:3:50  providers.openrouter.managementKey: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }
        3 |   openrouter: { type: openrouter, managementKey: [secret] }
          |                                                  ^
          write managementKey: { env: NAME }"
  `);
});

test("a literal of any look is refused where a secret is named, its line masked", async () => {
  const text = policyText({
    without: ["consumers"],
    key: `
consumers:
  - name: c
    probe:
      http:
        url: http://10.0.0.1/
        auth: { basic: { username: me, password: "correct horse, battery" } }
        headers: { Authorization: Bearer tapioca, X-Trace: plain }`,
  });
  const shown = await complaint(text);
  expect(shown).toMatchInlineSnapshot(`
    "rotation.yaml:17:54  keys[0].consumers[0].probe.http.auth.basic.password: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }
       17 |             auth: { basic: { username: me, password: [secret] } }
          |                                                      ^
          write password: { env: NAME }
    rotation.yaml:18:39  keys[0].consumers[0].probe.http.headers.Authorization: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }
       18 |             headers: { Authorization: [secret], X-Trace: plain }
          |                                       ^
          write Authorization: { env: NAME }, or use auth: { bearer: { env: NAME } }"
  `);
  expect(shown).not.toMatch(/correct|battery|tapioca/);
});

test("a reference where a secret is named gets the form that is not copied into the journal", async () => {
  const text = policyText().replace("{ env: OPENROUTER_MANAGEMENT_KEY }", "'${OPENROUTER_MANAGEMENT_KEY}'");
  expect(await faults(text)).toMatchInlineSnapshot(`
    [
      "rotation.yaml:3:50  providers.openrouter.managementKey: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }",
      "write managementKey: { env: OPENROUTER_MANAGEMENT_KEY }",
    ]
  `);
});

test.each([
  ["in a header", `headers: { X-Key: ${KEY} }`],
  ["of ARouter", "headers: { X-Key: lr_mgmt_0123456789 }"],
  ["in a body", `body: '{"key":"${KEY}"}'`],
  ["in a query", `body: x=lr_live_0123456789`],
  ["as a field's name", `headers: { ${KEY}: x }`],
  ["filled in from the environment", "headers: { X-Key: '${FROM_ENV}' }"],
  ["as a default", `headers: { X-Key: '\${UNSET:-${KEY}}' }`],
])("what looks like a key is refused %s", async (_, field) => {
  const text = policyText({
    without: ["consumers"],
    key: `consumers: [{ name: c, probe: { http: { url: http://10.0.0.1/, ${field} } } }]`,
  });
  const shown = await complaint(text, { FROM_ENV: KEY });
  expect(shown).toContain("found [secret]");
  expect(shown).not.toContain("0123456789");
});

test("passwords in URLs and webhook addresses are refused", async () => {
  const text = policyText({
    key: "notify:\n  - { http: https://me:tapioca@example.com/ }\n  - { http: https://hooks.slack.com/services/T0/B0/tapioca }",
  });
  const shown = await complaint(text);
  expect(shown).toMatchInlineSnapshot(`
    "rotation.yaml:14:17  keys[0].notify[0].http: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }
       14 |       - { http: [secret] }
          |                 ^
          take the password out of the URL; use auth: { basic: { username, password: { env: NAME } } }
    rotation.yaml:15:17  keys[0].notify[1].http: found [secret]: a secret is never written here; accepted: { env: NAME } or { file: PATH }
       15 |       - { http: [secret] }
          |                 ^
          put it into the environment or a file of its own, and if this file was ever shared, revoke it"
  `);
  expect(shown).not.toContain("tapioca");
});

test("a file that cannot be parsed still gives no secret away", async () => {
  const shown = await complaint(`providers:\n  a: { type: openrouter, managementKey: tapioca, [ ${KEY}\n`);
  expect(shown).toContain("no valid YAML");
  expect(shown).not.toMatch(/tapioca|0123456789/);
});

test("nothing of the error holds the secret, however it is printed", async () => {
  const file = await policyFile(policyText().replace("{ env: OPENROUTER_MANAGEMENT_KEY }", KEY));
  const error = await loadPolicy(file, {}).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PolicyError);
  expect(inspect(error, { depth: 9 }) + JSON.stringify(error) + String(error)).not.toContain("0123456789");
});
