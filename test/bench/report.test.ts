import { describe, expect, test } from "vitest";
import { spread } from "./measure.ts";
import { benchOptions } from "./options.ts";
import { plot } from "./plot.ts";
import { putSection, type Row, table } from "./report.ts";

const README = `# keyturn

<!-- bench:fleet -->
old figures
<!-- /bench:fleet -->

Between the sections.

<!-- bench:journal -->
figures of the journal
<!-- /bench:journal -->

The end.
`;

describe("a section's place in the README", () => {
  test("what is between the markers is replaced, and the markers stay", () => {
    const changed = putSection(README, "fleet", "new figures");
    expect(changed).toContain("<!-- bench:fleet -->\n\nnew figures\n\n<!-- /bench:fleet -->\n");
    expect(changed).not.toContain("old figures");
  });

  test("another section and everything around stay as they are", () => {
    const changed = putSection(README, "fleet", "new figures");
    expect(changed.slice(changed.indexOf("<!-- /bench:fleet -->"))).toBe(
      README.slice(README.indexOf("<!-- /bench:fleet -->")),
    );
    expect(changed.startsWith("# keyturn\n\n<!-- bench:fleet -->\n")).toBe(true);
  });

  test("the same figures written twice change nothing", () => {
    const once = putSection(README, "fleet", "new figures");
    expect(putSection(once, "fleet", "new figures")).toBe(once);
  });

  test("figures may contain what a replacement pattern would take for one", () => {
    expect(putSection(README, "fleet", "costs $& and $1")).toContain("\ncosts $& and $1\n");
  });

  test.each([
    ["no marker", "nothing here"],
    ["no closing marker", "<!-- bench:growth -->\n"],
    ["the closing marker first", "<!-- /bench:growth -->\n<!-- bench:growth -->\n<!-- /bench:growth -->\n"],
    ["two places", "<!-- bench:growth -->\n<!-- /bench:growth -->\n".repeat(2)],
  ])("%s: says which lines to write", (_, text) => {
    expect(() => putSection(text, "growth", "new")).toThrow(
      /no place for the section growth: write <!-- bench:growth --> and, below it, <!-- \/bench:growth -->/,
    );
  });
});

describe("a section's table", () => {
  const row = (more: Partial<Row>): Row => ({
    what: "`rotate --version`",
    against: "`node -e 0`",
    measured: { median: 1.234, low: 1.2, high: 1.3 },
    ...more,
  });
  const lines = (rows: Row[]) => table(rows).split("\n").slice(2);

  test("a line has what was asked beside the median and the quartiles", () => {
    expect(lines([row({ asked: "≤ 1.5 ×" })])).toEqual([
      "| `rotate --version` | `node -e 0` | ≤ 1.5 × | 1.23 × | 1.20–1.30 |",
    ]);
  });

  test("the unit is the row's, where it has one", () => {
    expect(lines([row({ unit: "KiB", measured: { median: 1234.5, low: 15.25, high: 9_876_543 } })])).toEqual([
      "| `rotate --version` | `node -e 0` |  | 1,235 KiB | 15.3–9,876,543 |",
    ]);
  });

  test.each([
    ["≤ 1.2 ×", true],
    ["≤ 1.234 ×", false],
    ["< 1.234 ×", true],
    ["≥ 1.3 ×", true],
    ["≥ 1,000", true],
    ["> 1", false],
    ["as little as can be", false],
  ])("of a median of 1.234 with %s asked, says that it is missed: %s", (asked, missed) => {
    expect(
      lines([row({ asked })])
        .join()
        .includes("missed"),
    ).toBe(missed);
  });

  test("a figure that nothing gave is not shown as one, and misses what was asked", () => {
    expect(
      lines([row({ asked: "≤ 1 ×", measured: { median: Number.NaN, low: 1, high: 2 } })]).join(),
    ).toContain("| – ×, missed |");
  });
});

describe("the spread of several runs", () => {
  test.each([
    [[5], { median: 5, low: 5, high: 5 }],
    [[3, 1], { median: 2, low: 1.5, high: 2.5 }],
    [[1, 9, 2], { median: 2, low: 1.5, high: 5.5 }],
    [[5, 1, 4, 2, 3], { median: 3, low: 2, high: 4 }],
    [[], { median: Number.NaN, low: Number.NaN, high: Number.NaN }],
  ])("of %j is %j", (values, expected) => {
    expect(spread(values)).toEqual(expected);
  });
});

describe("the plot", () => {
  const points = (...values: number[]) => values.map((value, power) => ({ keys: 10 ** power, value }));

  test("each number of keys has a line with its value and a bar as long", () => {
    expect(plot([{ name: "calls per key", points: points(8, 4, 2) }])).toBe(
      [
        "```text",
        "calls per key",
        `      1 key  ${"█".repeat(32)} 8.00`,
        `     10 keys ${"█".repeat(16)} 4.00`,
        `    100 keys ${"█".repeat(8)} 2.00`,
        "```",
      ].join("\n"),
    );
  });

  test("a quantity over several decades is on a logarithmic scale, which the heading says", () => {
    const [, heading, ...lines] = plot([{ name: "time", points: points(100, 10, 1) }]).split("\n");
    expect(heading).toBe("time (logarithmic scale)");
    const bars = lines.slice(0, 3).map((line) => line.replaceAll(/[^█]/g, "").length);
    expect(bars).toEqual([32, 18, 3]);
  });

  test("a quantity that is zero throughout has no bar", () => {
    expect(plot([{ name: "lost", points: points(0, 0) }])).not.toContain("█");
  });
});

describe("the command line", () => {
  const SECTIONS = ["fleet", "journal", "growth"];
  const options = (...argv: string[]) => benchOptions(argv, SECTIONS);

  test("without options all sections run and are written", () => {
    expect(options()).toEqual({ runs: 11, sections: SECTIONS, size: "usual", write: true });
  });

  test("--only takes one or several sections, which keep their order", () => {
    expect(options("--only", "growth", "fleet")).toMatchObject({ sections: ["fleet", "growth"] });
    expect(options("--only", "growth", "--only", "journal", "--runs", "3")).toMatchObject({
      sections: ["journal", "growth"],
      runs: 3,
    });
  });

  test("figures of small worlds are never written", () => {
    expect(options("--small")).toMatchObject({ size: "small", write: false });
    expect(options("--large", "--no-write")).toMatchObject({ size: "large", write: false });
  });

  test.each([
    [["--only", "fleets"], 'there is no section "fleets"; there are: fleet, journal, growth'],
    [["--runs", "many"], '--runs takes a whole number from 1, not "many"'],
    [["--runs", "0"], '--runs takes a whole number from 1, not "0"'],
    [["fleet"], '"fleet" is no option; sections are named after --only'],
    [["--large", "--small"], "--large and --small exclude each other"],
    [["--fast"], "Unknown option '--fast'"],
  ])("%j is refused", (argv, message) => {
    expect(() => options(...argv)).toThrow(message);
  });
});
