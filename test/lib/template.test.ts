import { expect, test } from "vitest";
import { fillTemplate, hasPlaceholder } from "../../src/lib/template.ts";

test("known names are filled in, wherever and however often they stand", () => {
  expect(fillTemplate("a {hash} b {hash}{label}", { hash: "h", label: "l" })).toBe("a h b hl");
});

test("braces around anything else stay", () => {
  expect(fillTemplate('{"a": {other} {} {toString}}', { hash: "h" })).toBe('{"a": {other} {} {toString}}');
});

test("a value that looks like a placeholder is not filled in again, nor read as a pattern", () => {
  expect(fillTemplate("{label} {hash}", { label: "{hash}", hash: "$&" })).toBe("{hash} $&");
});

test("a placeholder is found inside a longer text", () => {
  expect(hasPlaceholder("key={fingerprint}", ["fingerprint", "hash"])).toBe(true);
  expect(hasPlaceholder("fingerprint", ["fingerprint"])).toBe(false);
});
