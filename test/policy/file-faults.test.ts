// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how a policy refers to the environment
import { chmod, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { complaint, complaintOf, policyFile, policyText } from "./setup.ts";

test("a missing file is named, with the way to name another", async () => {
  const file = await policyFile("");
  expect(await complaintOf(join(dirname(file), "nowhere/rotation.yaml"))).toMatchInlineSnapshot(`
    "rotation.yaml  there is no such file
          name the policy with --policy FILE or KEYTURN_POLICY, or write one: rotate init"
  `);
});

test("a directory in place of the file is refused", async () => {
  const file = await policyFile("");
  const folder = join(dirname(file), "rotation.yaml.d");
  await mkdir(folder);
  expect(await complaintOf(folder)).toContain("this is a directory; accepted: a file");
});

test("a file that this user may not read is refused", async () => {
  const file = await policyFile(policyText());
  await chmod(file, 0);
  const root = process.getuid?.() === 0;
  // Root may read everything, so it looks with the eyes of nobody.
  if (root) process.seteuid?.(65_534);
  const told = await complaintOf(file).finally(() => root && process.seteuid?.(0));
  expect(told).toContain("this user may not read the file");
});

test("an empty file, and one with comments only, are refused as empty", async () => {
  expect(await complaint("")).toMatchInlineSnapshot(
    `"rotation.yaml:1:1  the file is empty; accepted: a policy that begins with \`version: 1\`"`,
  );
  expect(await complaint("# rotation policy\n")).toMatchInlineSnapshot(`
    "rotation.yaml:1:1  the file is empty; accepted: a policy that begins with \`version: 1\`
        1 | # rotation policy
          | ^"
  `);
});

test("what is no text, or far too large, is refused", async () => {
  expect(await complaint(Uint8Array.of(0xff, 0xfe, 0))).toMatchInlineSnapshot(
    `"rotation.yaml  the file is no text in UTF-8"`,
  );
  expect(await complaint(`# ${"x".repeat(9 * 1024 * 1024)}`)).toMatchInlineSnapshot(
    `"rotation.yaml  the file is larger than 8 MiB; is it the policy?"`,
  );
});

test("a YAML syntax error is shown where it is", async () => {
  expect(await complaint("version: 1\nkeys: [a, b\nstores: {}\n")).toMatchInlineSnapshot(`
    "rotation.yaml:3:1  no valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]
        3 | stores: {}
          | ^"
  `);
  expect(await complaint("version: 1\nkeys:\n\t- name: a\n")).toMatchInlineSnapshot(`
    "rotation.yaml:3:1  no valid YAML: Tabs are not allowed as indentation
        3 |  - name: a
          | ^"
  `);
});

test("an unquoted reference inside braces gets the hint that explains it", async () => {
  expect(await complaint("stores: { local: { type: file, path: ${DIR} } }\n")).toMatchInlineSnapshot(`
    "rotation.yaml:1:39  no valid YAML: Unexpected flow-map-start at node end
        1 | stores: { local: { type: file, path: \${DIR} } }
          |                                       ^
          inside { } and [ ], put a string with \${…} in quotes: "\${NAME}""
  `);
});

test("a list, a text, two documents and a field given twice are refused", async () => {
  expect(await complaint("- version: 1\n")).toMatchInlineSnapshot(`
    "rotation.yaml:1:1  the file holds no map; accepted: a policy that begins with \`version: 1\`
        1 | - version: 1
          | ^"
  `);
  expect(await complaint("rotate everything\n")).toMatchInlineSnapshot(`
    "rotation.yaml:1:1  the file holds no map; accepted: a policy that begins with \`version: 1\`
        1 | rotate everything
          | ^"
  `);
  expect(await complaint(`${policyText()}---\nversion: 1\n`)).toMatchInlineSnapshot(`
    "rotation.yaml:14:1  a second document begins here; accepted: one policy a file
       14 | version: 1
          | ^"
  `);
  expect(await complaint(policyText({ key: "suspend: true\nsuspend: false" }))).toMatchInlineSnapshot(`
    "rotation.yaml:14:5  keys[0].suspend: this field stands here twice; keep one of the two
       14 |     suspend: false
          |     ^"
  `);
});

test("unknown anchors, custom tags and odd field names are refused", async () => {
  expect(await complaint(policyText({ key: "confirm: *pace" }))).toMatchInlineSnapshot(`
    "rotation.yaml:13:14  keys[0].confirm: found *pace, but no &pace before it
       13 |     confirm: *pace
          |              ^"
  `);
  expect(await complaint(policyText({ key: "suspend: !secret true" }))).toMatchInlineSnapshot(`
    "rotation.yaml:13:14  no valid YAML: Unresolved tag: !secret
       13 |     suspend: !secret true
          |              ^"
  `);
  expect(
    await complaint(policyText({ key: "? [a, b]\n: 1\n__proto__: { suspend: true }" })),
  ).toMatchInlineSnapshot(`
    "rotation.yaml:13:7  keys[0]: found a field name that is no plain word
       13 |     ? [a, b]
          |       ^
    rotation.yaml:15:5  keys[0]: found a field name that is no plain word
       15 |     __proto__: { suspend: true }
          |     ^"
  `);
});

test("aliases that multiply, an alias inside itself and bottomless nesting end in one fault", async () => {
  const levels = [..."bcdefghij"].map(
    (name, index) => `${name}: &${name} [${`*${"abcdefghi"[index]},`.repeat(9)}]`,
  );
  expect(await complaint(`a: &a [${"x,".repeat(9)}]\n${levels.join("\n")}\n`)).toContain(
    "more than 100000 values by aliases",
  );
  expect(await complaint("a: &a [*a]\n")).toContain("nested more than 40 deep");
  expect(await complaint("[".repeat(100_000))).toContain("nested more than 40 deep");
});

test("text that would move the cursor of a terminal is not printed as it is", async () => {
  const shown = await complaint(policyText({ key: "settings: { workspaceId: [] } # \u001b[2J\u202e" }));
  expect(shown).toContain("settings");
  expect(shown).not.toContain("\u001b");
  expect(shown).not.toContain("\u202e");
});
