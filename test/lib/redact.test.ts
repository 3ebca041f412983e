import { expect, test } from "vitest";
import { redact, redactOutput, redactQuoted } from "../../src/lib/redact.ts";
import { Secret } from "../../src/lib/secret.ts";

test.each([
  ["key sk-or-v1-0123456789abcdef refused", "key [secret] refused"],
  ["sk-or-mgmt_ABC-def_123456.", "[secret]."],
  ["lr_live_abc123 lr_mgmt_x-y lr_admin_z", "[secret] [secret] [secret]"],
  ["Authorization: Bearer abc.def/ghi+jkl==", "Authorization: Bearer [secret]"],
  ["authorization: bearer abc", "authorization: bearer [secret]"],
  ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [secret]"],
  ["https://ann:hunter2@proxy.example:8080/x", "https://[secret]@proxy.example:8080/x"],
  ["http://:p%40ss@proxy", "http://[secret]@proxy"],
  ["https://ghp_0123456789@host/", "https://[secret]@host/"],
  ["https://hooks.slack.com/services/T0/B0/xyz", "https://hooks.slack.com/[secret]"],
  ["GET /?q=%22sk-or-v1-0123456789abcdef%22", "GET /?q=%22[secret]%22"],
  ["authorization=Bearer%20abc.def", "authorization=Bearer%20[secret]"],
  ["sk-4eC39HqLyjWDarjtT1zdp7dc", "[secret]"],
  [
    JSON.stringify("first line\nBearer abc\tBearer\nxyz"),
    JSON.stringify("first line\nBearer [secret]\tBearer\n[secret]"),
  ],
])("of our own text %s becomes %s", (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test.each([
  "label sk-or-v1-0e6…1c9 of hash 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "https://openrouter.ai:443/api/v1/keys?offset=100",
  "label lr_live_abc...123",
  "basic training at 10:00, mail ann@example.org",
  "secret prod/sk-payments-api-eu-west-1, risk-assessment-2027, environment variable LR_PRODUCTION_EU_WEST_1_KEY",
])("of our own text %s stays as it is", (text) => {
  expect(redact(text)).toBe(text);
});

test.each([
  ["key sk-or-v1-0123456789abcdef refused", "key [secret] refused"],
  ["lr_live_abcdefgh", "[secret]"],
  ["LR_abcdefgh pk-abcdefgh sk-service", "[secret] [secret] [secret]"],
  ["Authorization: Bearer abc.def", "Authorization: Bearer [secret]"],
  ["https://user:pass@host/", "https://[secret]@host/"],
  [`token ${"Zm9v".repeat(10)}`, "token [secret]"],
])("of a program's output %j becomes %j", (text, expected) => {
  expect(redactOutput(text)).toBe(expected);
});

test.each([
  `serves sha256:${"ab".repeat(32)}`,
  "payments-7c9f8d6b5-x2x4z is not ready",
  "/var/lib/app/config.yaml: bad",
  "label sk-or-v1-0e6...1c9",
])("of a program's output %j stays", (text) => {
  expect(redactOutput(text)).toBe(text);
});

test("a known secret goes from a quoted text whole, in pieces and in the usual encodings", () => {
  const secret = new Secret('correct "horse" battery/staple+');
  const text = secret.reveal();
  for (const form of [
    text,
    text.slice(3, 20),
    JSON.stringify(text),
    encodeURIComponent(text),
    Buffer.from(text).toString("hex"),
    Buffer.from(`user:${text}`).toString("base64"),
    Buffer.from(`me:${text}!`).toString("base64url"),
  ]) {
    const left = redactQuoted(`you sent ${form}, which is wrong`, [secret]);
    expect(left).toMatch(/^you sent \S{0,8}\[secret\]\S{0,6}, which is wrong$/);
  }
});
