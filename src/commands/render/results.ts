import { formatDuration } from "../../policy/duration.ts";
import type { KeyResult } from "../../rotation/report.ts";
import { describeUndecided } from "../../rotation/undecided.ts";
import { type Format, type Style, shortHash } from "./style.ts";
import { instant } from "./time.ts";

const COLORS: Record<KeyResult["outcome"], Format> = {
  idle: "gray",
  completed: "green",
  deleted: "green",
  reverted: "yellow",
  failed: "red",
  held: "red",
  blocked: "yellow",
  waiting: "cyan",
  superseded: "gray",
};

/** How one key came out, on one line; under it the hint and what a take-over could not decide, when there is any. */
export function renderResult(result: KeyResult, style: Style): string {
  const color = COLORS[result.outcome];
  const done = result.outcome === "completed" || result.outcome === "deleted";
  const text = done
    ? success(result, (word) => style(color, word))
    : `${style(color, result.outcome)}: ${result.message}`;
  const undecided = result.undecided && describeUndecided(result.undecided);
  const notes = [result.hint, undecided].filter((note) => note !== undefined);
  return [`${result.key}: ${text}`, ...notes].join("\n  ");
}

function success(result: KeyResult, colored: (word: string) => string): string {
  const took = result.tookMs === undefined ? "" : ` in ${formatDuration(result.tookMs)}`;
  const back = result.kind === "rollback";
  const old = back ? "key" : "old key";
  const parts = [colored(back ? "rolled back" : "completed") + took];
  if (result.newHash)
    parts.push(
      back
        ? `key ${shortHash(result.newHash)} is current again`
        : `new key ${shortHash(result.newHash)} is current`,
    );
  if (result.oldHash && result.outcome === "deleted")
    parts.push(`${old} ${shortHash(result.oldHash)} deleted`);
  if (result.outcome === "completed" && result.deleteAt !== undefined) {
    const name = result.oldHash ? `${old} ${shortHash(result.oldHash)}` : "the old key";
    parts.push(
      `${name} will be deleted at ${instant(result.deleteAt)}: keep "rotate worker" or "rotate once" running until then`,
    );
  }
  return parts.length === 1 ? `${parts[0]}; ${result.message}` : parts.join("; ");
}

/** `1 completed, 2 waiting, 5 with nothing to do`. */
export function summary(results: readonly KeyResult[]): string {
  const counts = new Map<string, number>();
  for (const { outcome } of results) {
    const word = outcome === "idle" ? "with nothing to do" : outcome === "deleted" ? "completed" : outcome;
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ") || "no keys";
}
