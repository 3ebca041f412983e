// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { examineYaml } from "../../src/policy/examine-yaml.ts";
import { Findings } from "../../src/policy/findings.ts";
import { plainYaml } from "../../src/policy/plain-yaml.ts";
import { Source } from "../../src/policy/source.ts";
import type { Tree } from "../../src/policy/tree.ts";
import { anyJson, runs, soup } from "../hostile/generators.ts";

const POLICY = readFileSync(new URL("../../rotation.yaml", import.meta.url), "utf8");

function examined(text: string): Tree | undefined {
  const findings = new Findings();
  const tree = examineYaml(new Source(text), findings);
  return findings.anyFault ? undefined : tree;
}

/** Where a map or a list ends is nobody's concern; all else is the same to the offset. */
function comparable(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree;
  const { start } = tree.at;
  if (tree.kind === "list") return { ...tree, at: start, items: tree.items.map(comparable) };
  return { ...tree, at: start, entries: [...tree.entries].map(([name, entry]) => [name, comparable(entry)]) };
}

/** Throws when the fast reader gives anything but what the careful one does; whether it has given a tree. */
function agrees(text: string): boolean {
  const plain = plainYaml(text);
  if (plain === undefined) return false;
  const careful = examined(text);
  expect(careful && comparable(careful), text).toEqual(comparable(plain));
  return true;
}

/** What readers of YAML might take for different things; the first of them are the commonest. */
const COMMON = [
  "a",
  "b:",
  "key: ",
  ": ",
  ":",
  "- ",
  "-",
  "? ",
  "\n",
  "\n  ",
  "\n    ",
  "\n  - ",
  " ",
  "#",
  " # c",
  "{",
  "}",
  "[",
  "]",
  ",",
  "'",
  '"',
  "\\",
  "\\n",
];
const WORDS = [
  "~",
  "null",
  "true",
  "No",
  "0",
  "-1",
  "+.5",
  "0x1F",
  "0o17",
  "012",
  "1e3",
  "1.",
  ".inf",
  ".nan",
  "1_000",
  "2027-01-01",
  "12:30",
  "10.0.0.1",
  "é",
  "${X}",
  "<<: ",
];
const RARE = [
  "&x ",
  "*x",
  "!!str ",
  "!t ",
  "|",
  "|-\n",
  ">",
  "---\n",
  "--- ",
  "...\n",
  "%YAML 1.2\n",
  "@",
  "`",
  "\t",
  "\r\n",
  "\u0085",
  "\u2028",
  "\ufeff",
  "\u{1f511}",
  "\0",
  "__proto__: ",
];

const ALL = [...COMMON, ...WORDS, ...RARE];

describe("the fast reader of policies", () => {
  test("reads the example policy, and gives just what the careful one gives", () => {
    expect(agrees(POLICY)).toBe(true);
  });

  test("gives what the careful one gives for any document, however it is laid out, or leaves it alone", () => {
    const layout = fc.record({
      indent: fc.integer({ min: 1, max: 6 }),
      lineWidth: fc.constantFrom(0, 20, 80),
      defaultStringType: fc.constantFrom("PLAIN" as const, "QUOTE_SINGLE" as const, "QUOTE_DOUBLE" as const),
      collectionStyle: fc.constantFrom("any" as const, "block" as const, "flow" as const),
      indentSeq: fc.boolean(),
    });
    let read = 0;
    fc.assert(
      fc.property(fc.dictionary(fc.string(), anyJson), layout, (value, options) => {
        if (agrees(stringify(value, options))) read += 1;
      }),
      runs(600),
    );
    expect(read).toBeGreaterThan(60);
  });

  test("gives what the careful one gives for any text at all, or leaves it alone", () => {
    let read = 0;
    const common = fc
      .array(fc.constantFrom(...COMMON, ...WORDS), { maxLength: 12 })
      .map((list) => list.join(""));
    const any = soup(ALL, 12);
    fc.assert(
      fc.property(fc.constantFrom("", "k: ", "k:\n  "), fc.oneof(common, any), (before, text) => {
        if (agrees(before + text)) read += 1;
      }),
      runs(8_000),
    );
    expect(read).toBeGreaterThan(500);
  });

  test.each([
    ["an escaped line end", 'k: "a\\\n\n  b"'],
    ["a value over two lines", "k: a\n  b"],
    ["a field after a list item", "keys:\n- {name: a} name: b"],
    ["a field after a quoted list item", "keys:\n- 'a'b: c"],
    ["a field with a question mark", "? a\n: b"],
    ["a field's name longer than YAML lets it be", `a: 1\n${"x".repeat(1_100)}: 2`],
    ["a comment before a colon", "k: {a #c\n   :b}"],
    ["a line of spaces", "k:\n     \n# c\n  b"],
    ["braces around all of it", "{a: b\n# c\n}"],
    ["more values than a policy may have", `a: [${"1,".repeat(1_000_001)}1]`],
  ])("leaves alone %s, which parsers read differently", (_, text) => {
    expect(plainYaml(text)).toBeUndefined();
  });

  test("gives what the careful one gives for a policy that somebody has broken somewhere", () => {
    fc.assert(
      fc.property(fc.nat(POLICY.length), fc.nat(6), soup(ALL, 3), (at, gone, put) => {
        agrees(POLICY.slice(0, at) + put + POLICY.slice(at + gone));
      }),
      runs(400),
    );
  });
});
