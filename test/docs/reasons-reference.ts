import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CHANGES, HOLDS, LOOKS, WAITS } from "../../src/rotation/reasons.ts";

const PAGE = join(import.meta.dirname, "../../docs/logs.md");
/** What is above it is written by hand. */
const MARK = "<!-- What follows is made from src/rotation/reasons.ts by `npm run docs`. -->";

const SECTIONS = [
  { title: "Steps that change something", reasons: CHANGES },
  { title: "Holds and blocks", reasons: HOLDS },
  { title: "Waits", reasons: WAITS },
  { title: "Looks (debug)", reasons: LOOKS },
];

/** The text that docs/logs.md should have: its own words, then every reason. */
export function reasonsReference(): string {
  const page = readFileSync(PAGE, "utf8");
  const at = page.indexOf(MARK);
  if (at < 0) throw new Error(`${PAGE} has no line ${MARK}`);
  const tables = SECTIONS.map(({ title, reasons }) => {
    const rows = Object.entries(reasons).map(([reason, meaning]) => `| \`${reason}\` | ${meaning} |\n`);
    return `### ${title}\n\n| reason | meaning |\n| --- | --- |\n${rows.join("")}`;
  });
  return `${page.slice(0, at)}${MARK}\n\n${tables.join("\n")}`;
}
