import { figure } from "./report.ts";

/** One quantity as the number of keys grows. */
export interface Series {
  /** Such as "calls per key"; with its unit, if it has one. */
  name: string;
  /** By ascending number of keys. */
  points: { keys: number; value: number }[];
}

const WIDTH = 32;
/** A quantity that spans more than this is drawn on a logarithmic scale, or its small end could not be seen. */
const LINEAR_UP_TO = 8;

/**
 * The series one below the other in a block of text: a line for each number of keys, with a bar to
 * its value and the value itself. The bars begin at zero, or where that hides too much stand on a
 * logarithmic scale, which the heading then says.
 */
export function plot(series: readonly Series[]): string {
  const panels = series.map(({ name, points }) => {
    const bar = scale(points.map(({ value }) => value));
    const lines = points.map(({ keys, value }) => `${count(keys)} ${bar.of(value)} ${figure(value)}`);
    return [`${name}${bar.logarithmic ? " (logarithmic scale)" : ""}`, ...lines].join("\n");
  });
  return `\`\`\`text\n${panels.join("\n\n")}\n\`\`\``;
}

const count = (keys: number) => `${keys.toLocaleString("en")} ${keys === 1 ? "key " : "keys"}`.padStart(12);

function scale(values: readonly number[]): { logarithmic: boolean; of(value: number): string } {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const logarithmic = least > 0 && most / least > LINEAR_UP_TO;
  // On the logarithmic scale the least has a tenth of the width, so that it is seen.
  const part = logarithmic
    ? (value: number) => 0.1 + (0.9 * Math.log(value / least)) / Math.log(most / least)
    : (value: number) => value / most;
  const length = (value: number) => (most > 0 ? Math.max(0, Math.round(part(value) * WIDTH)) : 0);
  return { logarithmic, of: (value) => "█".repeat(length(value)) };
}
