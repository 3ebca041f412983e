import { readFile } from "node:fs/promises";
import { parseArchive } from "../journal/archive-file.ts";
import { RotationError } from "../lib/errors.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { countsOf, countsSaid, journalAt } from "./journal-place.ts";
import { print, printJson } from "./print.ts";

export interface ImportOptions {
  restore?: boolean;
  json?: boolean;
}

/** `rotate journal import FILE`: brings an exported journal to the place that the policy names. */
export async function importJournal(globals: Globals, file: string, options: ImportOptions): Promise<number> {
  const { archive, purpose, exportedAt } = parseArchive(await textOf(file), file);
  if (purpose === "copy" && !options.restore) {
    throw new RotationError("usage", `${file} is a copy: the journal it was taken from is still in use`, {
      hint: "export without --copy to move a journal; --restore imports a copy of one that is lost for good",
    });
  }
  const { place } = await journalAt(globals);
  const { events, returned } = await place.fill(archive);
  const counts = { ...countsOf(archive), events };
  const since = new Date(exportedAt).toISOString();
  if (options.json)
    printJson({ journal: place.name, id: archive.id, exportedAt: since, returned, ...counts });
  else if (returned) print(`the ${place.name} is in use again; it holds what it held on ${since}`);
  else {
    const left = archive.events.length - events;
    print(
      `the ${place.name}: ${countsSaid(counts)}` +
        (left > 0 ? `; ${left} older events had no room, and are in ${file} alone` : ""),
    );
  }
  return EXIT.done;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file === "-" ? "/dev/stdin" : file, "utf8");
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    throw new RotationError("usage", `${file} cannot be read (${code})`, { cause: thrown });
  }
}
