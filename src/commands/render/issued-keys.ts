import type { IssuedKey } from "../../providers/provider.ts";
import { type Style, shortHash } from "./style.ts";
import { type Row, table } from "./table.ts";
import { instant as instantOf } from "./time.ts";

/** What an issued key is to a key of the policy, as the tables say it. */
export interface Place {
  key: string;
  state: string;
}

type Places = ReadonlyMap<string, Place>;

/** The list: a row a key; keys of several workspaces with a column for them. */
export function renderIssuedKeys(keys: readonly IssuedKey[], places: Places, style: Style): string {
  const columns = COLUMNS.filter(
    ({ title }) => title !== "WORKSPACE" || new Set(keys.map((key) => key.workspaceId)).size > 1,
  );
  const head: Row = { cells: columns.map(({ title }) => style("bold", title)) };
  const rows = keys.map((key): Row => {
    const cells = columns.map(({ cell }) => cell(key, places));
    return { cells: key.disabled ? cells.map((cell) => style("dim", cell)) : cells };
  });
  return table([head, ...rows]).join("\n");
}

const COLUMNS: readonly { title: string; cell: (key: IssuedKey, places: Places) => string }[] = [
  { title: "NAME", cell: ({ name }) => text(name) },
  { title: "LABEL", cell: ({ label }) => text(label) },
  { title: "HASH", cell: ({ hash }) => shortHash(plain(hash)) },
  { title: "DISABLED", cell: ({ disabled }) => shown(disabled) },
  { title: "LIMIT", cell: ({ limit }) => shown(limit) },
  { title: "REMAINING", cell: ({ limitRemaining }) => shown(limitRemaining) },
  { title: "RESET", cell: ({ limitReset }) => shown(limitReset) },
  { title: "USAGE", cell: ({ usage }) => shown(usage) },
  { title: "CREATED", cell: ({ createdAt }) => instant(createdAt) },
  { title: "EXPIRES", cell: ({ expiresAt }) => instant(expiresAt) },
  { title: "WORKSPACE", cell: ({ workspaceId }) => text(workspaceId) },
  {
    title: "KEY",
    cell: ({ hash }, places) => {
      const place = places.get(hash);
      return place ? `${place.key} (${place.state})` : "-";
    },
  },
];

/** Every field that the answer held, a line each, by the names of the API; and whose key it is. */
export function renderFields(
  raw: Readonly<Record<string, unknown>>,
  place: Place | undefined,
  style: Style,
): string {
  const rows = Object.entries(raw).map(([name, value]) => [
    plain(name),
    shown(value, RESTRICTIONS.has(name) ? "all" : "none"),
  ]);
  if (place) rows.push(["key of the policy", `${place.key} (${place.state})`]);
  return table(rows.map(([name = "", value = ""]) => ({ cells: [style("bold", name), value] }))).join("\n");
}

/** Lists that restrict nothing where they are empty or not set. */
const RESTRICTIONS = new Set(["allowed_providers", "allowed_models"]);

/** A value of an answer for people; null and empty lists as `empty`, what is not there as `-`. */
function shown(value: unknown, empty = "none"): string {
  if (value === undefined) return "-";
  if (value === null) return empty;
  if (typeof value === "number") return money(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return text(value);
  if (Array.isArray(value) && value.every((entry) => typeof entry === "string")) {
    return value.length === 0 ? empty : value.map(plain).join(", ");
  }
  return plain(JSON.stringify(value));
}

/** Credits with at most six decimals. */
function money(amount: number): string {
  return String(Number(amount.toFixed(6)));
}

function text(value: string | undefined): string {
  return value ? plain(value) : "-";
}

/** In UTC, to the second. */
function instant(value: string | null | undefined): string {
  const at = value ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? shown(value) : instantOf(at);
}

/** Names are free text of others: what would move the cursor or colour the terminal is taken out. */
export function plain(value: string): string {
  return value.replace(/[\p{Cc}\p{Cf}]+/gu, " ");
}
