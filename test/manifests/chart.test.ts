import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { chartValues, helmPage } from "../docs/helm-values.ts";

const ROOT = join(import.meta.dirname, "../..");
const CHART = join(ROOT, "config/helm/keyturn");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
}
const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8")) as Schema;

/** Paths of the schema down to where values may be of any name. */
function paths({ properties }: Schema, prefix = ""): string[] {
  return Object.entries(properties ?? {}).flatMap(([name, one]) =>
    one.properties ? paths(one, `${prefix}${name}.`) : [prefix + name],
  );
}

describe("the Helm chart", () => {
  it("installs the version that package.json names, and is of that version", () => {
    const { version } = JSON.parse(read("package.json"));
    const chart = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8"));
    expect([chart.apiVersion, chart.appVersion, chart.version]).toEqual(["v2", version, version]);
  });

  it("says of every value what it is", () => {
    expect(chartValues().filter(({ comment }) => comment === "")).toEqual([]);
  });

  it("has a default for every value of its schema, and none that the schema does not know", () => {
    const known = paths(schema).filter((path) => path !== "global" && !path.startsWith("resources."));
    expect([...known, "resources"].sort()).toEqual(
      chartValues()
        .map(({ path }) => path)
        .sort(),
    );
  });

  it("has its values in docs/helm.md (else: npm run docs)", () => {
    expect(read("docs/helm.md")).toBe(helmPage());
  });

  it.each(["alerts.yaml", "dashboard.json"])(
    "brings along config/monitoring/%s (else: npm run docs)",
    (file) => {
      expect(read(`config/helm/keyturn/files/${file}`)).toBe(read(`config/monitoring/${file}`));
    },
  );

  it("keeps its tests' values out of what is packaged", () => {
    expect(readFileSync(join(CHART, ".helmignore"), "utf8").split("\n")).toContain("ci/");
    for (const file of readdirSync(join(CHART, "ci"))) expect(file).toMatch(/-values\.yaml$/);
    expect(existsSync(join(CHART, "charts"))).toBe(false);
  });
});
