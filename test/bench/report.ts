import type { Spread } from "./measure.ts";
import type { Series } from "./plot.ts";

/** One line of a section's table. */
export interface Row {
  /** What was measured, such as "`rotate --version`". */
  what: string;
  /** What it was measured beside, in the same run. */
  against: string;
  /** What is asked of it, such as "≤ 1.5 ×"; the table says where it is missed. */
  asked?: string;
  measured: Spread;
  /** "×" unless told. */
  unit?: string;
}

/** How large a world a section makes: `small` shows only that it works, and its figures mean nothing. */
export type Size = "small" | "usual" | "large";

/** A section's figures as a table, as a plot, or as both, the table first. */
export type Figures = Row[] | { rows?: Row[]; plot: Series[] };

/** One section of the benchmark, each of its contenders measured `runs` times. */
export type Section = (runs: number, size: Size) => Promise<Figures>;

/** The rows as a Markdown table: medians, with the quartiles of the runs beside them. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, against, asked = "", measured: { median, low, high }, unit = "×" }) => {
    const missed = misses(median, asked) ? ", missed" : "";
    return `| ${what} | ${against} | ${asked} | ${figure(median)} ${unit}${missed} | ${figure(low)}–${figure(high)} |`;
  });
  return [
    "| what | against | asked | median | half of the runs |",
    "| --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}

/** Whether a figure is not what was asked; a wish that begins with no such sign is judged by nobody. */
function misses(value: number, asked: string): boolean {
  const [, sign, bound] = /^([<≤≥>]) ?([\d.,]*\d)/.exec(asked) ?? [];
  if (sign === undefined || bound === undefined) return false;
  const limit = Number(bound.replaceAll(",", ""));
  if (sign === "<") return !(value < limit);
  if (sign === "≤") return !(value <= limit);
  return sign === ">" ? !(value > limit) : !(value >= limit);
}

/** Three significant digits at least, and no more than are there to be believed. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/**
 * The text with what is between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` replaced by
 * `body`; everything else stays as it is. Throws when the two markers are not there exactly once,
 * in this order.
 */
export function putSection(text: string, name: string, body: string): string {
  const [opening, closing] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const [before = "", within, ...repeated] = text.split(opening);
  const [, after, ...more] = within?.split(closing) ?? [];
  if (after === undefined || before.includes(closing) || repeated.length + more.length > 0)
    throw new Error(
      `there is no place for the section ${name}: write ${opening} and, below it, ${closing}, each once and on a line of its own`,
    );
  return `${before}${opening}\n\n${body.trim()}\n\n${closing}${after}`;
}
