import { accessSync, constants, existsSync } from "node:fs";
import { dirname } from "node:path";
import type { Journal } from "../../journal/journal.ts";
import { checked } from "../../lib/check.ts";
import { RotationError } from "../../lib/errors.ts";
import { nearestExisting, refuseNetworkFileSystem } from "../../lib/filesystem.ts";
import type { JournalPolicy } from "../../policy/schema.ts";
import type { CheckGroup } from "./groups.ts";

/** Whether the journal, which could be opened, takes a write or could be made; nothing is written or made. */
export async function checkJournal(
  config: JournalPolicy,
  journal: Pick<Journal, "assertWritable">,
): Promise<CheckGroup> {
  const name = config.type === "sqlite" ? config.path : `${config.namespace}/${config.name}`;
  const written = await checked("journal", async () => {
    if (config.type === "sqlite" && !existsSync(config.path)) return await canBeMade(config.path);
    await journal.assertWritable();
    return "opens, and takes a write";
  });
  if (config.type !== "sqlite") return { kind: "journal", name, checks: [written] };
  const disk = await checked("disk", async () => {
    await refuseNetworkFileSystem(config.path);
    return "not a network file system";
  });
  return { kind: "journal", name, checks: [written, disk] };
}

async function canBeMade(path: string): Promise<string> {
  const above = await nearestExisting(dirname(path));
  try {
    accessSync(above, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new RotationError(
      "forbidden",
      `it is not there yet, and cannot be made in ${above} (${(cause as NodeJS.ErrnoException).code})`,
      { hint: "let this user write there, or give journal another path", cause },
    );
  }
  return `is not there yet and can be made in ${above}`;
}
