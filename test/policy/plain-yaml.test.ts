// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Findings } from "../../src/policy/findings.ts";
import { readPlainYaml } from "../../src/policy/plain-yaml.ts";
import { readYaml } from "../../src/policy/read-yaml.ts";
import { Source } from "../../src/policy/source.ts";
import type { Tree } from "../../src/policy/tree.ts";

const root = resolve(import.meta.dirname, "../..");
const examples = join(root, "config/examples");
const texts = [join(root, "rotation.yaml"), ...readdirSync(examples).map((name) => join(examples, name))].map(
  (file) => readFileSync(file, "utf8"),
);

const LIMITS = { values: 1_000, deep: 40 };

/** What the library makes of the text: a tab in a comment is enough to leave it to that. */
function byLibrary(text: string): { tree: Tree | undefined; faulty: boolean } {
  const findings = new Findings();
  const tree = readYaml(new Source(`${text}\n#\t`), findings);
  return { tree, faulty: findings.anyFault };
}

/** Where maps and lists end is told by nobody. */
function comparable(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree;
  const place = { ...tree, at: tree.at.start };
  return tree.kind === "map"
    ? { ...place, entries: [...tree.entries].map(([name, entry]) => [name, comparable(entry)]) }
    : { ...place, items: tree.items.map(comparable) };
}

function expectSame(text: string): void {
  const plain = readPlainYaml(text, LIMITS);
  if (plain === undefined) return;
  const { tree, faulty } = byLibrary(text);
  expect(faulty, text).toBe(false);
  expect(comparable(plain), text).toEqual(tree && comparable(tree));
}

test("most of the shipped policies are plain, and read as the library reads them", () => {
  const plain = texts.filter((text) => readPlainYaml(text, LIMITS) !== undefined);
  expect(plain.length).toBeGreaterThan(texts.length / 2);
  for (const text of texts) expectSame(text);
});

const SCALARS = fc.constantFrom(
  ..."1 0 007 0600 1.5 1. .5 1e3 0x1F 0o17 +1 -1 1_000 12:30 10m 90s 5d 1d2 2027-12-31T23:59:59Z 127.0.0.1 1.2 true True no on null Null ~ word /a/b ./x ../x .x ${A} ${A:-./b} a:b a:-b a#b".split(
    " ",
  ),
  "a b",
  "a  b",
  "a (b) c",
  "a, b",
  "'quoted'",
  "'it''s'",
  '"quoted"',
  '"a\\nb"',
  '"{ a: 1 }"',
  "",
  "'a' b",
  "a: b",
  "a #b",
  "http://h:8080/p?q=1&r=%20",
  "[a, b]",
  "[a,b , 'c']",
  "[]",
  "{}",
  "{ a: b, c: [1, 2] }",
  "{a: b}",
  "{ a: b, }",
  "{ a }",
  "{ a: }",
  "{ 'a': b, \"c\": d }",
  '{ "a":b }',
  "[a: b]",
  "{ a: http://h/p }",
  "{ a: ${B} }",
  "&x a",
  "*x",
  "!t a",
  "|",
  "> ",
  "- a",
  "? a",
  "@a",
  "`a",
  "%a",
  "a]",
  "a }",
);
const ODD_NAMES = fc.constantFrom("'h i'", '"/j"', "1", "true", "<<", "k l", "__proto__", "a", "a.b");
const BETWEEN = fc.oneof(
  { weight: 12, arbitrary: fc.constant("") },
  fc.constantFrom("\n", "# c\n", "  # c\n", "    \n", "---\n", "...\n", "  a\n", "a: b\n", "- a\n"),
);

/** The lines of a value at `indent`, from behind its name or dash on. */
type Lines = (indent: number) => string;

const { value } = fc.letrec<{ value: Lines; map: Lines; list: Lines }>((tie) => {
  const scalar = fc
    .tuple(
      fc.oneof({ weight: 6, arbitrary: fc.constantFrom("a", "b c", "1", "10m", "'d'") }, SCALARS),
      BETWEEN,
    )
    .map(
      ([text, between]) =>
        () =>
          ` ${text}\n${between}`,
    );
  const step = fc.oneof({ weight: 8, arbitrary: fc.constant(2) }, fc.constantFrom(0, 1, 4));
  return {
    value: fc.oneof({ maxDepth: 4 }, scalar, tie("map"), tie("list")),
    map: fc
      .tuple(
        step,
        BETWEEN,
        fc.array(
          fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, ODD_NAMES), tie("value")),
          { minLength: 1, maxLength: 3 },
        ),
      )
      .map(([by, between, fields]) => (indent) => {
        const pad = " ".repeat(indent + by);
        const lines = fields.map(([name, of], at) => `${pad}${name ?? `f${at}`}:${of(indent + by)}`);
        return `\n${between}${lines.join("")}`;
      }),
    list: fc
      .tuple(
        fc.constantFrom(0, 2),
        fc.array(fc.tuple(fc.boolean(), tie("value")), { minLength: 1, maxLength: 3 }),
      )
      .map(([by, items]) => (indent) => {
        const pad = " ".repeat(indent + by);
        const lines = items.map(([compact, of]) => {
          const inside = of(indent + by);
          return `${pad}-${compact ? inside.replace(/^\n *(?=\w)/, " ") : inside}`;
        });
        return `\n${lines.join("")}`;
      }),
  };
});

test("whatever it reads of odd text, the library reads alike", () => {
  const text = fc
    .array(value, { minLength: 1, maxLength: 3 })
    .map((fields) => fields.map((of, at) => `r${at}:${of(0)}`).join(""));
  fc.assert(fc.property(text, expectSame), { numRuns: 3_000 });
});

test("and of policies with a few characters changed", () => {
  const edits = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom(..."\n \t:#-,'\"{}[]&*!|>%@`$a0.~?\\", "  ", "\n  ", ": "), fc.nat(2)),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(fc.constantFrom(...texts), edits, (text, changes) => {
      let changed = text;
      for (const [at, put, cut] of changes) {
        const from = at % changed.length;
        changed = changed.slice(0, from) + put + changed.slice(from + cut);
      }
      expectSame(changed);
    }),
    { numRuns: 1_500 },
  );
});

test("a text that is deep or has many values is left to the library, which says so", () => {
  expect(readPlainYaml(`a: ${"[".repeat(50)}${"]".repeat(50)}\n`, LIMITS)).toBeUndefined();
  expect(readPlainYaml(`a: [${"0, ".repeat(1_000)}0]\n`, LIMITS)).toBeUndefined();
});
