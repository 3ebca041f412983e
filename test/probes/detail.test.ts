import { expect, test } from "vitest";
import { detail, redact } from "../../src/probes/detail.ts";

test("a detail is one line, without control characters, of at most 200 characters", () => {
  expect(detail("a\r\n\tb\u001b[0m\u202e c ")).toBe("a b [0m c");
  expect(detail("x".repeat(1_000))).toHaveLength(200);
});

test.each([
  ["key sk-or-v1-0123456789abcdef refused", "key [redacted] refused"],
  ["lr_live_abcdefgh", "[redacted]"],
  ["Authorization: Bearer abc.def", "Authorization: Bearer [redacted]"],
  ["https://user:pass@host/", "https://[redacted]@host/"],
  [`token ${"Zm9v".repeat(10)}`, "token [redacted]"],
])("%j is redacted", (text, redacted) => {
  expect(redact(text)).toBe(redacted);
});

test.each([
  `serves sha256:${"ab".repeat(32)}`,
  "payments-7c9f8d6b5-x2x4z is not ready",
  "/var/lib/app/config.yaml: bad",
])("%j stays", (text) => {
  expect(redact(text)).toBe(text);
});
