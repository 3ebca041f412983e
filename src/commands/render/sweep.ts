import type { SweepReport, SweptKey } from "../../rotation/sweep/report.ts";
import { plain } from "./issued-keys.ts";
import { type Format, type Style, shortHash } from "./style.ts";
import { type Row, table } from "./table.ts";
import { instant } from "./time.ts";

const COLORS: Record<SweptKey["verdict"] | NonNullable<SweptKey["outcome"]>, Format> = {
  lost: "yellow",
  undecided: "cyan",
  unknown: "magenta",
  deleted: "green",
  gone: "green",
  kept: "cyan",
  busy: "cyan",
  failed: "red",
};

export interface SweepSetting {
  /** The command that deletes what is lost. */
  again: string;
  /** The policy's provider, where it has just one. */
  onlyProvider: string | undefined;
}

/** A row a key, with what is to be known of it underneath, and what the sweep came to. */
export function renderSweep(report: SweepReport, setting: SweepSetting, style: Style): string {
  const { keys, known, problems } = report;
  const columns = COLUMNS.filter(({ title }) => title !== "PROVIDER" || !setting.onlyProvider);
  const head: Row = { cells: columns.map(({ title }) => style("bold", title)) };
  const rows = keys.map(
    (key): Row => ({
      cells: columns.map(({ cell }) => cell(key, style)),
      notes: notesOf(key),
    }),
  );
  const accounted = `${counted(known, "key")} accounted for`;
  const last = problems.length > 0 ? `the sweep is incomplete; ${accounted}` : accounted;
  if (keys.length > 0) return [...table([head, ...rows]), ...closing(report, setting), last].join("\n");
  return problems.length > 0 ? last : `nothing was left behind; ${accounted}`;
}

const COLUMNS: readonly { title: string; cell: (key: SweptKey, style: Style) => string }[] = [
  { title: "KEY", cell: ({ key }) => plain(key) },
  {
    title: "FOUND",
    cell: ({ verdict, outcome }, style) => style(COLORS[outcome ?? verdict], outcome ?? verdict),
  },
  { title: "HASH", cell: ({ hash }) => shortHash(plain(hash)) },
  { title: "PROVIDER", cell: ({ provider }) => provider },
  { title: "USAGE", cell: ({ usage }) => (usage === undefined ? "-" : String(Number(usage.toFixed(6)))) },
  { title: "CREATED", cell: ({ createdAt }) => (createdAt === undefined ? "-" : instant(createdAt)) },
  { title: "NAME", cell: ({ name }) => plain(name) },
];

function notesOf({ why, hint, outcome, message }: SweptKey): string[] {
  if (outcome === "deleted") return [];
  return [message ?? why, ...(hint === undefined ? [] : [hint])].map(plain);
}

/** What to do about all of them. */
function closing({ keys }: SweepReport, { again }: SweepSetting): string[] {
  const lost = keys.filter(({ verdict, outcome }) => verdict === "lost" && outcome === undefined).length;
  if (lost === 0) return [];
  return [`${counted(lost, "lost key")}; \`${again}\` deletes ${lost === 1 ? "it" : "them"}`];
}

function counted(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`;
}

/** What could not be looked at or done, for standard error. */
export function problemLines({ problems, unsearched }: SweepReport): string[] {
  return [
    ...problems.flatMap(({ message, hint }) => [`rotate: ${message}`, ...(hint ? [`  ${hint}`] : [])]),
    ...unsearched.map(
      (name) =>
        `rotate: earlier keys were made at provider ${JSON.stringify(name)}, which the policy no longer has; nothing was looked for there`,
    ),
  ];
}
