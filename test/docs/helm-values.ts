import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMap, type Pair, parseDocument, type Scalar, type YAMLMap } from "yaml";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = join(ROOT, "docs/helm.md");
const [START, END] = ["<!-- values: npm run docs -->\n", "<!-- end of values -->\n"];

/** One value of the chart that can be set: its path with dots, its default as JSON, its comment. */
export interface ChartValue {
  path: string;
  initial: string;
  comment: string;
}

/** Every value of values.yaml in its order. A map whose entries have comments is not itself one, but says what they have in common. */
export function chartValues(): ChartValue[] {
  const { contents } = parseDocument(readFileSync(join(ROOT, "config/helm/keyturn/values.yaml"), "utf8"));
  return valuesIn(contents as YAMLMap, "", "");
}

function valuesIn(map: YAMLMap, prefix: string, inherited: string): ChartValue[] {
  return map.items.flatMap((pair, index) => {
    const { key, value } = pair as Pair<Scalar<string>>;
    const path = prefix + key.value;
    // The comment before the first entry of a map belongs to the map, for the parser.
    const above = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined) ?? "";
    const own = above.split(/\n\s*\n/).at(-1) ?? "";
    const comment = [inherited, own.replace(/^ /gm, "").replaceAll("\n", " ").trim()]
      .filter(Boolean)
      .join(" ");
    if (isMap(value) && hasComments(value)) return valuesIn(value, `${path}.`, comment);
    return [{ path, initial: JSON.stringify(value), comment }];
  });
}

function hasComments(map: YAMLMap): boolean {
  return Boolean(map.commentBefore) || map.items.some(({ key }) => Boolean((key as Scalar).commentBefore));
}

/** docs/helm.md with its table of values as values.yaml is now. */
export function helmPage(): string {
  const page = readFileSync(PAGE, "utf8");
  const [start, end] = [page.indexOf(START) + START.length, page.indexOf(END)];
  if (start < START.length || end < start)
    throw new Error("docs/helm.md has no place for the table of values");
  const rows = chartValues().map(
    ({ path, initial, comment }) => `| \`${path}\` | ${shown(initial)} | ${comment.replaceAll("|", "\\|")} |`,
  );
  const table = ["| value | default | what it is |", "| --- | --- | --- |", ...rows].join("\n");
  return `${page.slice(0, start)}${table}\n${page.slice(end)}`;
}

function shown(initial: string): string {
  if (['""', "[]", "{}"].includes(initial)) return "";
  return initial.length > 60 ? "see values.yaml" : `\`${initial.replaceAll("|", "\\|")}\``;
}
