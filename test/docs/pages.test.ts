import { existsSync } from "node:fs";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { loadPolicy } from "../../src/policy/load.ts";
import {
  anchorsOf,
  inLanguage,
  linksOf,
  namedCommands,
  page,
  pages,
  parsed,
  policyOf,
  ROOT,
  shownCommands,
  unknownIn,
  wordsOf,
} from "./pages.ts";

const all = pages();
const each = all.map((one) => [one.name, one] as const);

describe("the documentation", () => {
  it.each(each)("%s links to what is there", (name, one) => {
    const broken = linksOf(one).filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? name : relative(ROOT, join(ROOT, dirname(name), path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && target.endsWith(".md") && !anchorsOf(page(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it("lists every page in its index", () => {
    const index = linksOf(page("docs/README.md"));
    const others = all.map(({ name }) => relative("docs", name)).filter((name) => name !== "README.md");
    expect(others.filter((name) => !index.includes(name))).toEqual([]);
  });

  const shown = all.flatMap((one) => shownCommands(one).map((line) => [line, one.name] as const));
  it.each(shown)("shows a command that is accepted: rotate %s (%s)", async (line) => {
    await parsed(wordsOf(line));
  });

  it.each(each)("%s names only commands and options that there are", (_, one) => {
    const lines = namedCommands(one);
    expect(lines.filter((line) => unknownIn(line) !== undefined)).toEqual([]);
  });

  it("would be told of a command and of an option that there is not", () => {
    expect(unknownIn("turn payments-api")).toBe("turn");
    expect(unknownIn("approve --before billing")).toBe("--before");
  });

  const policies = all
    .filter(({ name }) => name !== "README.md")
    .flatMap((one) =>
      inLanguage(one, "yaml").flatMap((block) => {
        const policy = policyOf(block);
        return policy ? [[one.name, block.text.trim().split("\n")[0], policy] as const] : [];
      }),
    );
  it.each(policies)("%s shows a valid policy: %s", async (_, __, policy) => {
    const file = join(await mkdtemp(join(tmpdir(), "keyturn-")), "rotation.yaml");
    await writeFile(file, stringify(policy));
    expect((await loadPolicy(file, {})).policy.version).toBe(1);
  });

  it.each(each)("%s shows JSON that parses", (_, one) => {
    for (const { text } of inLanguage(one, "json")) {
      for (const line of text.trim().startsWith("{\n") ? [text] : text.trim().split(/\n(?=\{)/)) {
        expect(() => JSON.parse(line)).not.toThrow();
      }
    }
  });

  it.each(each)("%s promises nothing", (_, { prose }) => {
    const promise = /coming soon|TODO|not yet (implemented|supported)|in a (later|future) (version|release)/i;
    expect(promise.exec(prose)?.[0]).toBeUndefined();
  });
});
