import { readFileSync } from "node:fs";
import { extname, join } from "node:path";

const DOCS = join(import.meta.dirname, "../../docs");
const LANGUAGES: Readonly<Record<string, string>> = {
  ".mjs": "js",
  ".py": "python",
  ".go": "go",
  ".java": "java",
};

/** The text that docs/consumers.md should have: below each mark `<!-- examples/FILE -->` the code of that file. */
export function consumersGuide(): string {
  const page = readFileSync(join(DOCS, "consumers.md"), "utf8");
  return page.replace(/^<!-- (examples\/\S+) -->\n(?:\n```\w+\n[\s\S]*?^```\n)?/gm, (_, file: string) => {
    const code = readFileSync(join(DOCS, file), "utf8");
    return `<!-- ${file} -->\n\n\`\`\`${LANGUAGES[extname(file)]}\n${code}\`\`\`\n`;
  });
}
