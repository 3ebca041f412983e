import { expect, test } from "vitest";
import { redact } from "../../src/telemetry/redact.ts";

test.each([
  ["key sk-or-v1-0123456789abcdef refused", "key [secret] refused"],
  ["sk-or-mgmt_ABC-def_123456.", "[secret]."],
  ["lr_live_abc123 lr_mgmt_x-y lr_admin_z", "[secret] [secret] [secret]"],
  ["Authorization: Bearer abc.def/ghi+jkl==", "Authorization: Bearer [secret]"],
  ["authorization: bearer abc", "authorization: bearer [secret]"],
  ["Authorization: Basic dXNlcjpwYXNz", "Authorization: Basic [secret]"],
  ["https://ann:hunter2@proxy.example:8080/x", "https://ann:[secret]@proxy.example:8080/x"],
  ["http://:p%40ss@proxy", "http://:[secret]@proxy"],
  [
    JSON.stringify("first line\nBearer abc\tBearer\nxyz"),
    JSON.stringify("first line\nBearer [secret]\tBearer\n[secret]"),
  ],
])("%s becomes %s", (text, expected) => {
  expect(redact(text)).toBe(expected);
});

test.each([
  "label sk-or-v1-0e6…1c9 of hash 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
  "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  "https://openrouter.ai:443/api/v1/keys?offset=100",
  "basic training at 10:00, mail ann@example.org",
])("%s stays as it is", (text) => {
  expect(redact(text)).toBe(text);
});
