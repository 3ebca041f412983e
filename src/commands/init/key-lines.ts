import type { IssuedKey } from "../../providers/provider.ts";
import { plain } from "../render/issued-keys.ts";
import { table } from "../render/table.ts";

/** A line for each key, to choose one by: name, label, limit, usage, when it was created. */
export function keyLines(keys: readonly IssuedKey[]): string[] {
  return table(
    keys.map(({ name = "", label = "", limit, limitReset, usage, createdAt }) => ({
      cells: [
        plain(name) || "(no name)",
        plain(label),
        typeof limit === "number" ? `limit ${limit}${limitReset ? ` ${limitReset}` : ""}` : "no limit",
        usage === undefined ? "" : `used ${Number(usage.toFixed(6))}`,
        createdAt === undefined ? "" : `created ${createdAt.slice(0, 10)}`,
      ],
    })),
  );
}
