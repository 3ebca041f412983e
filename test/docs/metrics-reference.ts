import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Described, describedMetrics } from "../telemetry/metrics/described.ts";

const PAGE = join(import.meta.dirname, "../../docs/metrics.md");
/** What is above it is written by hand. */
const MARK = "<!-- What follows is made from the metrics themselves by `npm run docs`. -->";

const SECTIONS: { title: string; has: (name: string) => boolean }[] = [
  { title: "Keys", has: (name) => name.startsWith("keyturn_key_") },
  { title: "Rotations", has: (name) => name.startsWith("keyturn_rotation") },
  { title: "Providers and stores", has: (name) => /^keyturn_(provider|store)_/.test(name) },
  { title: "keyturn itself", has: (name) => name.startsWith("keyturn_") },
  { title: "Process and Node", has: () => true },
];

/** The text that docs/metrics.md should have: its own words, then every metric. */
export function metricsReference(): string {
  const page = readFileSync(PAGE, "utf8");
  const at = page.indexOf(MARK);
  if (at < 0) throw new Error(`${PAGE} has no line ${MARK}`);
  const left = new Set(describedMetrics());
  const tables = SECTIONS.map(({ title, has }) => {
    const its = [...left].filter(({ name }) => has(name));
    for (const one of its) left.delete(one);
    return `### ${title}\n\n| metric | type | labels | meaning |\n| --- | --- | --- | --- |\n${its.map(rowOf).join("")}`;
  });
  return `${page.slice(0, at)}${MARK}\n\n${tables.join("\n")}`;
}

function rowOf({ name, type, labelNames, help }: Described): string {
  const labels = labelNames.map((label) => `\`${label}\``).join(", ");
  return `| \`${name}\` | ${type} | ${labels} | ${help.replaceAll("|", "\\|")} |\n`;
}
