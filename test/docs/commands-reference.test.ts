import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { build } from "../../src/commands/program.ts";
import { pathOf } from "../../src/commands/spelled.ts";
import { commandsOf } from "./command-tree.ts";
import { commandsReference, prose } from "./commands-reference.ts";

const DOCS = join(import.meta.dirname, "../../docs");
const reference = commandsReference();
const paths = commandsOf(build(async () => {})).map(pathOf);

describe("the reference of the commands", () => {
  it("is what the commands say of themselves now (else: npm run docs)", () => {
    expect(readFileSync(join(DOCS, "commands.md"), "utf8")).toBe(reference);
  });

  it("has something to say about every command, and about no other", () => {
    const written = [...prose().keys()].filter((heading) => heading.startsWith("rotate"));
    expect(written.toSorted()).toEqual(paths.toSorted());
  });

  it("leads to places that are there", () => {
    const headings = [...reference.matchAll(/^## (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    );
    for (const [, file = "", anchor] of reference.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
      if (file !== "") expect(existsSync(join(DOCS, file)), file).toBe(true);
      else expect(headings).toContain(anchor);
    }
  });

  it("shows JSON that is JSON", () => {
    const blocks = [...reference.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
    expect(blocks.length).toBeGreaterThan(5);
    for (const text of blocks) expect(() => JSON.parse(text)).not.toThrow();
  });
});
