/** One series as it stands in the text. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

export interface Family {
  name: string;
  help: string;
  type: string;
  samples: Sample[];
}

const NAME = /^[a-z][a-z0-9_]*$/;
const VALUE = /^(?:[+-]?Inf|Na[Nn]|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;
const SUFFIXES: Record<string, readonly string[]> = {
  counter: [""],
  gauge: [""],
  histogram: ["_bucket", "_sum", "_count"],
  summary: ["", "_sum", "_count"],
};

/**
 * Prometheus' text format 0.0.4, read strictly: every family once, help and type before its samples,
 * nothing twice, no timestamps, histograms that add up. Throws what is wrong.
 */
export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line is not ended");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let open: Family | undefined;
  let help: { name: string; text: string } | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment?.[1] === "HELP") {
      help = { name: comment[2] as string, text: comment[3] as string };
      continue;
    }
    if (comment) {
      const [, , name = "", type = ""] = comment;
      if (help?.name !== name) throw new Error(`no help before the type of ${name}`);
      if (families.has(name)) throw new Error(`${name} comes twice`);
      if (!NAME.test(name)) throw new Error(`${name} is no name`);
      if (!(type in SUFFIXES)) throw new Error(`${type} is no type`);
      open = { name, type, help: help.text, samples: [] };
      families.set(name, open);
      continue;
    }
    const sample = parseSample(line);
    if (!open || !SUFFIXES[open.type]?.some((suffix) => sample.name === `${open?.name}${suffix}`))
      throw new Error(`outside its family: ${line}`);
    const id = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(id)) throw new Error(`twice: ${line}`);
    seen.add(id);
    open.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function parseSample(line: string): Sample {
  const found = /^([a-z_0-9]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (!found) throw new Error(`no sample: ${line}`);
  const [, name = "", inner = "", value = ""] = found;
  if (!VALUE.test(value)) throw new Error(`no value: ${line}`);
  const labels: Record<string, string> = {};
  let rest = inner;
  while (rest !== "") {
    const label = /^([a-z_][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/.exec(rest);
    if (!label) throw new Error(`no labels: ${line}`);
    labels[label[1] as string] = JSON.parse(`"${label[2]}"`) as string;
    rest = rest.slice(label[0].length);
  }
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function checkHistogram({ name, samples }: Family): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const [labels, its] of series) {
    const buckets = its.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) => Number(le?.replace("Inf", "Infinity")));
    const count = its.find((sample) => sample.name === `${name}_count`)?.value;
    const rising = (values: number[]) =>
      values.every((value, at) => at === 0 || value >= (values[at - 1] ?? 0));
    if (!rising(bounds) || bounds.at(-1) !== Number.POSITIVE_INFINITY)
      throw new Error(`the buckets of ${name}${labels} are out of order`);
    if (!rising(buckets.map(({ value }) => value)) || buckets.at(-1)?.value !== count)
      throw new Error(`the buckets of ${name}${labels} do not add up`);
  }
}

/** The value of the one series of `name` that has these labels; undefined when there is none. */
export function series(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const samples = [...families.values()].flatMap((family) => family.samples);
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  if (found.length > 1) throw new Error(`${found.length} series of ${name} fit`);
  return found[0]?.value;
}
