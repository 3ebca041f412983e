import { expect, test } from "vitest";
import { detail } from "../../src/probes/detail.ts";

test("a detail is one line, without control characters, of at most 200 characters", () => {
  expect(detail("a\r\n\tb\u001b[0m\u202e c ")).toBe("a b [0m c");
  expect(detail("x".repeat(1_000))).toHaveLength(200);
});

test("a detail holds no key", () => {
  expect(detail("instance sk-or-v1-0123456789abcdef")).toBe("instance [secret]");
});
