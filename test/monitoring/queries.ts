import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { parse } from "yaml";

const FOLDER = join(import.meta.dirname, "../../config/monitoring");

export interface Rule {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export function alertRules(): Rule[] {
  const { groups } = parse(readFileSync(join(FOLDER, "alerts.yaml"), "utf8")) as {
    groups: { rules: Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

export interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  datasource?: { uid: string };
  targets?: { expr: string; refId: string; datasource: { uid: string } }[];
}

export interface Dashboard {
  uid: string;
  schemaVersion: number;
  templating: { list: { name: string; type: string; definition?: string }[] };
  panels: Panel[];
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(join(FOLDER, "dashboard.json"), "utf8")) as Dashboard;
}

/** What a query asks for: each metric with the labels that are matched on it, and the labels that it groups or joins by. */
export interface Asked {
  metrics: { name: string; labels: string[] }[];
  grouping: string[];
}

/** Reads a query of Prometheus, Grafana's variables for durations put in; throws where it is none. */
export function readQuery(query: string): Asked {
  const text = query.replace(/\$__(rate_interval|range|interval)/g, "5m");
  const asked: Asked = { metrics: [], grouping: [] };
  parser.parse(text).iterate({
    enter: ({ node, name, type, from, to }) => {
      if (type.isError)
        throw new Error(`no query at ${JSON.stringify(text.slice(from, from + 30))}: ${text}`);
      if (name === "GroupingLabels")
        asked.grouping.push(
          ...node.getChildren("LabelName").map((label) => text.slice(label.from, label.to)),
        );
      if (name !== "VectorSelector") return;
      const metric = node.getChild("Identifier");
      if (!metric) throw new Error(`no metric in ${text.slice(from, to)}`);
      const labels: string[] = [];
      node.cursor().iterate((inner) => {
        if (inner.name === "LabelName") labels.push(text.slice(inner.from, inner.to));
      });
      asked.metrics.push({ name: text.slice(metric.from, metric.to), labels });
    },
  });
  return asked;
}
