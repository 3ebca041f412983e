import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ERROR_CODES } from "../../src/lib/errors.ts";
import { HOLDS } from "../../src/rotation/reasons.ts";
import { anchorsOf, page, ROOT } from "./pages.ts";

const runbook = page("docs/runbook.md");
const anchors = anchorsOf(runbook);

interface Rule {
  alert: string;
  annotations: Record<string, string>;
}

describe("the runbook", () => {
  const { groups } = parse(readFileSync(join(ROOT, "config/monitoring/alerts.yaml"), "utf8")) as {
    groups: { rules: Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules).filter(({ alert }) => alert);

  it.each(rules.map(({ alert, annotations }) => [alert, annotations] as const))(
    "has the section that %s leads to",
    (alert, { runbook_url: url = "" }) => {
      expect(anchors).toContain(alert.toLowerCase());
      expect(url.split("#")[1]).toBe(alert.toLowerCase());
    },
  );

  it("has a section for each reason of a hold or a block", () => {
    expect(Object.keys(HOLDS).filter((reason) => !anchors.has(reason))).toEqual([]);
  });

  it("has a section for each error code", () => {
    expect(ERROR_CODES.filter((code) => !anchors.has(code))).toEqual([]);
  });

  it("says in each section what it means, what to type and what not to do", () => {
    const sections = runbook.text.split(/^(?=##? )/m).filter((text) => text.startsWith("## "));
    const lacking = sections.filter((text) => !/\*\*Means:.*\*\*Type:.*\*\*Not:/s.test(text));
    expect(lacking.map((text) => text.split("\n")[0])).toEqual([]);
  });
});
