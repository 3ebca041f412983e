import type { PolicyNote } from "../../policy/faults.ts";
import type { Style } from "./style.ts";

/** The policy's warnings, each with its place. */
export function noteLines(file: string, notes: readonly PolicyNote[], style: Style): string[] {
  return notes.map(
    ({ line, column, path, message }) =>
      `${style("bold", `${file}:${line}:${column}`)}  ${style("yellow", "warning:")} ${path}: ${message}`,
  );
}
