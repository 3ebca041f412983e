import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { undamaged } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { World } from "./world.ts";

/** Runs `act` and fails when the provider's keys, the store's files or what the journal says of keys are others after it. */
export async function changingNothing<T>(world: World, act: () => Promise<T>): Promise<T> {
  const before = await stateOf(world);
  const result = await act();
  expect(await stateOf(world)).toEqual(before);
  return result;
}

async function stateOf(world: World) {
  const keys = world.sandbox.model.allKeys().map(({ hash, disabled }) => ({ hash, disabled }));
  return { keys, store: await filesOf(world.env.KEYTURN_STORE as string), journal: await targetsOf(world) };
}

async function filesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.includes("lock"));
  return Object.fromEntries(
    await Promise.all(
      files.map(async ({ name, parentPath }) => [name, await readFile(join(parentPath, name), "utf8")]),
    ),
  );
}

/** Rotations, current and issued keys and intents; that a key is blocked is a remark, not a change. */
async function targetsOf({ env }: World): Promise<unknown[]> {
  const journal = await openSqliteJournal(env.KEYTURN_JOURNAL as string, {
    clock: systemClock,
    random: systemRandom,
  });
  try {
    return undamaged(await journal.all()).map(({ target, document }) => {
      const { rotation, issued, intents, keys } = document;
      return { target, rotation, issued, intents, current: Object.values(keys).map((key) => key.current) };
    });
  } finally {
    await journal.close();
  }
}
