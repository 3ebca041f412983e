import { formatDuration } from "../../policy/duration.ts";
import type { KeyState, KeyStatus } from "../../rotation/report.ts";
import { describeUndecided } from "../../rotation/undecided.ts";
import { type Format, type Style, shortHash } from "./style.ts";
import { type Row, table } from "./table.ts";
import { instant, relative, when } from "./time.ts";

const COLORS: Record<KeyState, Format> = {
  ok: "green",
  rotating: "cyan",
  held: "red",
  blocked: "yellow",
  failed: "red",
  overdue: "red",
  suspended: "gray",
  new: "yellow",
};

/** The status table: a row a key, and under it what it waits for and which old keys are on their way out. */
export function renderStatus(keys: readonly KeyStatus[], now: number, style: Style): string {
  const head: Row = {
    cells: ["KEY", "STATE", "AGE", "CURRENT", "LAST", "NEXT"].map((title) => style("bold", title)),
  };
  return table([head, ...keys.map((key) => row(key, now, style))]).join("\n");
}

function row(key: KeyStatus, now: number, style: Style): Row {
  const { current, last, next } = key;
  return {
    cells: [
      key.key,
      style(COLORS[key.state], state(key)),
      current ? formatDuration(now - (current.createdAt ?? current.since)) : "-",
      current ? [shortHash(current.hash), current.label].filter(Boolean).join(" ") : "-",
      last ? `${last.outcome} ${relative(last.at, now)}` : "-",
      next ? when(next.at, now) + (next.why === "schedule" ? "" : `, ${next.why}`) : "-",
    ],
    notes: notes(key, now).map((note) => style("dim", note)),
  };
}

/** `ok`; with the phase while a rotation is open: `held at promoted`, `rotating: reverting`. */
function state({ state, rotation }: KeyStatus): string {
  if (!rotation) return state;
  return state === "held" ? `held at ${rotation.phase}` : `${state}: ${rotation.phase}`;
}

function notes(key: KeyStatus, now: number): string[] {
  const { rotation, current, message, last } = key;
  const lines: string[] = [];
  if (message) lines.push(message);
  if (rotation?.held && rotation.held.message !== message) {
    lines.push(`held ${relative(rotation.held.since, now)}: ${rotation.held.message}`);
  }
  if (rotation?.held?.hint) lines.push(rotation.held.hint);
  if (rotation?.waitingFor && !rotation.held && (rotation.waitingUntil ?? now) >= now) {
    const until =
      rotation.waitingUntil === undefined
        ? ""
        : `, until ${instant(rotation.waitingUntil)} (${relative(rotation.waitingUntil, now)})`;
    lines.push(`waits for ${rotation.waitingFor}${until}`);
  }
  if (rotation?.error) {
    lines.push(
      `last error: ${rotation.error.message}${rotation.error.hint ? `; ${rotation.error.hint}` : ""}`,
    );
  }
  if (!rotation && last?.message && last.outcome !== "completed" && last.message !== message) {
    lines.push(`${last.outcome} at ${instant(last.at)}: ${last.message}`);
  }
  if (current?.expiresAt !== undefined) lines.push(`expires ${when(current.expiresAt, now)}`);
  if (key.drift.length > 0) lines.push(`differs from the policy: ${key.drift.join(", ")}`);
  if (key.undecided) lines.push(describeUndecided(key.undecided));
  for (const old of key.retiring) {
    const label = old.label ? ` ${old.label}` : "";
    lines.push(
      `old key ${shortHash(old.hash)}${label}: ${old.disabled ? "disabled" : "still enabled"}, to be deleted ${when(old.deleteAt, now)}`,
    );
  }
  return lines;
}
