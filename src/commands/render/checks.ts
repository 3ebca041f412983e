import type { Check } from "../../lib/check.ts";
import type { CheckGroup } from "../online/groups.ts";
import type { Format, Style } from "./style.ts";

const MARKS: Record<Check["result"], [string, Format]> = {
  passed: ["✓", "green"],
  failed: ["✗", "red"],
  noted: ["–", "gray"],
};

/** One line for each check under the provider, store or key that it is about, what to do under those that failed, and the sum. */
export function renderChecks(groups: readonly CheckGroup[], style: Style): string {
  const all = groups.flatMap(({ checks }) => checks);
  const bad = all.filter(({ result }) => result === "failed").length;
  const sum = bad === 0 ? "nothing speaks against a rotation" : `${bad} of ${all.length} checks failed`;
  return [...groups.flatMap((group) => groupLines(group, style)), style("bold", sum)].join("\n");
}

function groupLines({ kind, name, checks }: CheckGroup, style: Style): string[] {
  return [style("bold", `${kind} ${name}`), ...checks.flatMap((check) => checkLines(check, style))];
}

function checkLines({ check, result, says, hint }: Check, style: Style): string[] {
  const [mark, format] = MARKS[result];
  return [`  ${style(format, mark)} ${check}: ${says}`, ...(hint === undefined ? [] : [`      ${hint}`])];
}
