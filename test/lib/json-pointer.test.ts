import { expect, test } from "vitest";
import { readPointer } from "../../src/lib/json-pointer.ts";

// The document and the pointers of RFC 6901, section 5.
const document = JSON.parse(
  '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}',
);
test.each([
  ["", document],
  ["/foo", ["bar", "baz"]],
  ["/foo/0", "bar"],
  ["/", 0],
  ["/a~1b", 1],
  ["/c%d", 2],
  ["/e^f", 3],
  ["/g|h", 4],
  ["/i\\j", 5],
  ['/k"l', 6],
  ["/ ", 7],
  ["/m~0n", 8],
])("%j names the value that RFC 6901 gives", (pointer, value) => {
  expect(readPointer(document, pointer)).toEqual(value);
});

test.each([
  "/nothing",
  "/foo/2",
  "/foo/-",
  "/foo/00",
  "/foo/length",
  "/toString",
  "/__proto__",
  "/foo/0/0",
  "foo",
])("%j names nothing", (pointer) => {
  expect(readPointer(document, pointer)).toBeUndefined();
});

test("~01 is a tilde and a one, not a slash", () => {
  expect(readPointer({ "~1": "x" }, "/~01")).toBe("x");
});
