import { visibleWidth } from "./style.ts";

/** One row, and lines shown indented under it. */
export interface Row {
  cells: readonly string[];
  notes?: readonly string[];
}

const GAP = "  ";

/** Rows as lines with aligned columns; colour codes take no room. */
export function table(rows: readonly Row[]): string[] {
  const widths: number[] = [];
  for (const { cells } of rows)
    cells.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, visibleWidth(cell));
    });
  return rows.flatMap(({ cells, notes = [] }) => [
    cells
      .map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - visibleWidth(cell)))
      .join(GAP)
      .trimEnd(),
    ...notes.map((note) => `${GAP}${note}`),
  ]);
}
