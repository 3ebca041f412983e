import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { metricsReference } from "../docs/metrics-reference.ts";
import { describedMetrics } from "../telemetry/metrics/described.ts";
import { type Asked, alertRules, dashboard, readQuery } from "./queries.ts";

const DOCS = join(import.meta.dirname, "../../docs");

/** Put onto every series by Prometheus. */
const OF_TARGETS = ["job", "instance"];
/** By name, the labels that its series have; a histogram by the names of its parts. */
const known = new Map(
  describedMetrics().flatMap(({ name, type, labelNames }) =>
    type === "histogram"
      ? [
          [`${name}_bucket`, [...labelNames, "le"]] as const,
          [`${name}_sum`, labelNames] as const,
          [`${name}_count`, labelNames] as const,
        ]
      : [[name, labelNames] as const],
  ),
);
known.set("up", []);

/** What a query asks for that no metric has. */
function unknown({ metrics, grouping }: Asked): string[] {
  const labels = metrics.flatMap(({ name }) => known.get(name) ?? []);
  return [
    ...metrics.filter(({ name }) => !known.has(name)).map(({ name }) => name),
    ...metrics.flatMap(({ name, labels: matched }) =>
      matched
        .filter((label) => !OF_TARGETS.includes(label) && !known.get(name)?.includes(label))
        .map((label) => `${name}{${label}}`),
    ),
    ...grouping.filter((label) => !labels.includes(label) && !OF_TARGETS.includes(label)),
  ];
}

it("finds a misspelled metric, a label that is not there, and what is no query", () => {
  expect(unknown(readQuery('sum by (kee) (keyturn_key_stat{key="a"})'))).toEqual([
    "keyturn_key_stat",
    "keyturn_key_stat{key}",
    "kee",
  ]);
  expect(unknown(readQuery('keyturn_key_overdue{state="ok"} == 1'))).toEqual(["keyturn_key_overdue{state}"]);
  expect(() => readQuery("sum by (key) (keyturn_key_state")).toThrow("no query");
});

describe("the alert rules", () => {
  it.each(alertRules().map((rule) => [rule.alert, rule] as const))(
    "%s asks for metrics that there are",
    (_, rule) => {
      expect(unknown(readQuery(rule.expr))).toEqual([]);
    },
  );

  it("fire after a while, with a severity, and say what is wrong and where help is", () => {
    for (const { alert, labels, annotations, for: wait } of alertRules()) {
      expect([alert, labels.severity]).toEqual([alert, expect.stringMatching(/^(critical|warning)$/)]);
      expect(wait).toMatch(/^\d+m$/);
      expect(Object.keys(annotations)).toEqual(["summary", "description", "runbook_url"]);
      expect(annotations.runbook_url).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
    }
  });

  it("use only labels that the alert has", () => {
    for (const { alert, expr, annotations } of alertRules()) {
      const has = [...OF_TARGETS, ...readQuery(expr).metrics.flatMap(({ name }) => known.get(name) ?? [])];
      for (const text of Object.values(annotations))
        for (const [, label] of text.matchAll(/\$labels\.(\w+)/g))
          expect([alert, has]).toEqual([alert, expect.arrayContaining([label])]);
    }
  });

  it("each have a section in the runbook", () => {
    const runbook = readFileSync(join(DOCS, "runbook.md"), "utf8");
    const sections = [...runbook.matchAll(/^#+ +`?(Keyturn\w+)`?$/gm)].map(([, name]) => name);
    expect(sections.sort()).toEqual(
      alertRules()
        .map(({ alert }) => alert)
        .sort(),
    );
  });
});

describe("the dashboard", () => {
  const { panels, templating, schemaVersion } = dashboard();
  const queries = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => [title, expr] as const),
  );

  it.each(queries)("%s: %s asks for metrics that there are", (_, expr) => {
    expect(unknown(readQuery(expr))).toEqual([]);
  });

  it("takes its data source, jobs and instances from variables", () => {
    expect(schemaVersion).toBeGreaterThanOrEqual(39);
    expect(templating.list.map(({ name }) => name)).toEqual(["datasource", "job", "instance"]);
    const sources = panels.flatMap(({ datasource, targets = [] }) => [
      datasource,
      ...targets.map((one) => one.datasource),
    ]);
    for (const source of sources) if (source) expect(source.uid).toMatch(/^\$\{datasource\}$/);
    for (const [, expr] of queries) expect(expr).toContain('job=~"$job", instance=~"$instance"');
  });

  it("has panels that do not overlap, each with an id and a title of its own", () => {
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)}:${y + Math.floor(at / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
    for (const { type, description } of panels) if (type !== "row") expect(description).toMatch(/\.$/);
  });
});

it("the reference of metrics is what the code says now (else: npm run docs)", () => {
  expect(readFileSync(join(DOCS, "metrics.md"), "utf8")).toBe(metricsReference());
});
