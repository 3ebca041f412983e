import { open, rm } from "node:fs/promises";
import { archiveText } from "../journal/archive-file.ts";
import type { JournalPlace } from "../journal/place.ts";
import { RotationError } from "../lib/errors.ts";
import type { Globals } from "./context.ts";
import { EXIT } from "./exit.ts";
import { countsOf, countsSaid, journalAt } from "./journal-place.ts";
import { print, printJson } from "./print.ts";

export interface ExportOptions {
  output?: string;
  copy?: boolean;
  json?: boolean;
}

/** `rotate journal export`: writes the whole journal to a file, and unless it is a copy, takes the journal out of use. */
export async function exportJournal(globals: Globals, options: ExportOptions): Promise<number> {
  const { output, copy = false } = options;
  if (options.json && output === undefined) {
    throw new RotationError("usage", "--json and the export cannot both go to standard output", {
      hint: "name a file for the export: --output FILE",
    });
  }
  const { place, clock } = await journalAt(globals);
  const write = output === undefined ? toStandardOutput : await newFile(output);
  const archive = await taken(place, copy, write);
  const text = archiveText({ archive, purpose: copy ? "copy" : "move", exportedAt: clock.now() });
  await write.text(text).catch((thrown) => {
    throw unwritten(output ?? "standard output", copy ? undefined : place.name, thrown);
  });
  const counts = countsOf(archive);
  if (options.json) printJson({ journal: place.name, id: archive.id, copy, file: output, ...counts });
  else if (output !== undefined) {
    print(`${output}: ${countsSaid(counts)}`);
    print(
      copy
        ? `the ${place.name} stays as it is; import this only if it is lost`
        : `the ${place.name} is out of use from now on: let \`journal\` in the policy name its new place, then: rotate journal import ${output}`,
    );
  }
  return EXIT.done;
}

/** `left`: the journal that is out of use by now. */
function unwritten(where: string, left: string | undefined, cause: NodeJS.ErrnoException): RotationError {
  const code = cause.code === "ENOSPC" || cause.code === "EDQUOT" ? "full" : "unusable";
  const again = "make room, or name another file, and run the same export again";
  return new RotationError(code, `the export cannot be written to ${where} (${cause.code})`, {
    hint: left === undefined ? again : `the ${left} is out of use, and nothing of it is lost: ${again}`,
    cause,
  });
}

async function taken(place: JournalPlace, copy: boolean, write: Writing) {
  try {
    if (!copy) await place.moveAway();
    return await place.read();
  } catch (thrown) {
    await write.giveUp();
    throw thrown;
  }
}

interface Writing {
  text(text: string): Promise<void>;
  /** Nothing is left of it. */
  giveUp(): Promise<void>;
}

const toStandardOutput: Writing = {
  text: (text) =>
    new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    }),
  giveUp: async () => {},
};

/** Made before the journal is touched; a file that is there is never overwritten, as it may be the only export. */
async function newFile(path: string): Promise<Writing> {
  const file = await open(path, "wx", 0o600).catch((thrown: NodeJS.ErrnoException) => {
    throw thrown.code === "EEXIST"
      ? new RotationError("usage", `${path} is there already`, {
          hint: "choose another name; an export is written again as often as it is asked for",
        })
      : new RotationError("usage", `${path} cannot be written (${thrown.code})`, {
          hint: "name a file in a folder that is there and that this user may write to",
          cause: thrown,
        });
  });
  const giveUp = async () => {
    await file.close();
    await rm(path, { force: true });
  };
  return {
    async text(text) {
      try {
        await file.writeFile(text);
        await file.sync();
      } catch (thrown) {
        await giveUp();
        throw thrown;
      }
      await file.close();
    },
    giveUp,
  };
}
