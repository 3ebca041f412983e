import fc from "fast-check";
import { expect, test } from "vitest";
import { jsonCopy } from "../../src/lib/json-copy.ts";

test("a copy of any JSON is what reading it back from its text gives, and shares no part with it", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const copy = jsonCopy(value);
      expect(copy).toStrictEqual(value);
      expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      expect(sharesAPart(value, copy)).toBe(false);
    }),
  );
});

test("parts that are undefined are left out, and a part named __proto__ is one like any other", () => {
  const value = JSON.parse('{"__proto__":{"deep":{"er":1}},"gone":null}');
  value.gone = undefined;
  const copy = jsonCopy(value);
  expect(Object.keys(copy)).toEqual(["__proto__"]);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(JSON.stringify(copy)).toBe('{"__proto__":{"deep":{"er":1}}}');
});

function sharesAPart(one: unknown, other: unknown): boolean {
  if (typeof one !== "object" || one === null) return false;
  if (one === other) return true;
  return Object.entries(one).some(([name, part]) =>
    sharesAPart(part, (other as Record<string, unknown>)[name]),
  );
}
