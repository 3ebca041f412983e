import { formatDuration } from "../../policy/duration.ts";
import type { ConsumerProgress, Progress } from "../../rotation/report.ts";
import type { Format, Style } from "./style.ts";
import { type Row, table } from "./table.ts";
import { relative } from "./time.ts";

/** The list that a terminal shows while a pass runs: a line a key, its consumers under it as they confirm. */
export interface LiveList {
  apply(progress: Progress, now: number): void;
  render(now: number): string;
}

interface Line {
  key: string;
  since: number;
  phase?: string;
  /** When the rotation ended; the clock of its line stands still then. */
  ended?: number;
  text: string;
  until?: number;
  held: boolean;
  consumers: ConsumerProgress[];
}

const ENDED = new Set(["completed", "reverted", "failed", "superseded"]);
const MARKS: Record<string, [Format, string]> = {
  completed: ["green", "✓"],
  reverted: ["yellow", "↩"],
  failed: ["red", "✗"],
  superseded: ["gray", "-"],
};
/** Instances shown of a consumer that has not confirmed yet; a fleet would not fit the screen. */
const SHOWN_INSTANCES = 5;

/** `keys` are listed from the start, others as soon as something happens to them. */
export function liveList(keys: readonly string[], startedAt: number, style: Style): LiveList {
  const lines = new Map<string, Line>();
  const lineOf = (key: string, now: number): Line => {
    const line = lines.get(key) ?? { key, since: now, text: "", held: false, consumers: [] };
    lines.set(key, line);
    return line;
  };
  for (const key of keys) lineOf(key, startedAt);

  return {
    apply(progress, now) {
      if (progress.type === "note") return;
      const line = lineOf(progress.key, now);
      switch (progress.type) {
        case "phase":
          line.phase = progress.phase;
          line.text = progress.message;
          line.until = undefined;
          line.held = false;
          line.ended = ENDED.has(progress.phase) ? now : undefined;
          if (line.ended !== undefined) line.consumers = [];
          break;
        case "consumers":
          line.consumers = progress.consumers;
          break;
        case "waiting":
          line.text = progress.why;
          line.until = progress.until;
          break;
        case "held":
          line.held = true;
          line.text = progress.message;
          line.until = undefined;
      }
    },
    render(now) {
      return table([...lines.values()].map((line) => row(line, now, style))).join("\n");
    },
  };
}

function row(line: Line, now: number, style: Style): Row {
  const [format, mark] = line.held
    ? (["red", "!"] as const)
    : (MARKS[line.phase ?? ""] ?? (["cyan", "•"] as const));
  const until = line.until === undefined || line.until <= now ? "" : ` (${relative(line.until, now)})`;
  return {
    cells: [
      `${style(format, mark)} ${line.key}`,
      line.held ? style("red", `held (${line.phase})`) : style(format, line.phase ?? "looking"),
      elapsed((line.ended ?? now) - line.since),
      style("dim", line.text + until),
    ],
    notes: line.consumers.flatMap((consumer) => consumerLines(consumer, style)),
  };
}

/** In whole seconds: a list that is redrawn several times a second must not flicker with digits. */
function elapsed(ms: number): string {
  return ms < 1_000 ? "0s" : formatDuration(Math.floor(ms / 1_000) * 1_000);
}

function consumerLines(consumer: ConsumerProgress, style: Style): string[] {
  const { instances } = consumer;
  const count = `${instances.length} instance${instances.length === 1 ? "" : "s"}`;
  if (consumer.waived) return [`${style("gray", "-")} ${consumer.consumer}  waived`];
  if (consumer.confirmed) return [`${style("green", "✓")} ${consumer.consumer}  confirmed by ${count}`];
  const open = instances.filter((answer) => answer.verdict !== "confirms");
  return [
    `${style("cyan", "•")} ${consumer.consumer}  ${consumer.streak}/${consumer.needed} sweeps  ${
      consumer.problem ?? `${instances.length - open.length} of ${count} confirm`
    }`,
    ...open
      .slice(0, SHOWN_INSTANCES)
      .map((answer) => `    ${answer.instance}  ${answer.verdict}: ${answer.detail}`),
    ...(open.length > SHOWN_INSTANCES ? [`    and ${open.length - SHOWN_INSTANCES} more`] : []),
  ];
}
