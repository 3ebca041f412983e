import type { MemoryJournalState } from "../../../src/journal/memory.ts";
import { type Acts, DAY, HOUR, later, MINUTE } from "./act.ts";

type Copy = () => void;

/** The journal as it stands now; called, it is put back as from a backup. */
function backup(state: MemoryJournalState): Copy {
  const documents = [...state.documents];
  const hashes = [...state.hashes];
  const requests = [...state.requests];
  return () => {
    restoreInto(state.documents, documents);
    restoreInto(state.hashes, hashes);
    restoreInto(state.requests, requests);
  };
}

function restoreInto<K, V>(map: Map<K, V>, entries: readonly [K, V][]): void {
  map.clear();
  for (const [key, value] of entries) map.set(key, value);
}

/** The journal on its disk. */
export const journalActs: Acts = {
  "journal full": {
    weight: 2,
    draw: (chance) => ({ what: chance.pick(["full", "busy"]), for: chance.pick([1_000, MINUTE, HOUR]) }),
    apply: (scene, { what, for: duration }) => {
      const { weather } = scene.world;
      weather.journal = what as "full" | "busy";
      later(scene, Number(duration), () => {
        weather.journal = undefined;
      });
    },
  },
  "journal restored": {
    draw: (chance) => ({ after: chance.pick([MINUTE, HOUR, 2 * DAY]) }),
    apply: (scene, { after }) => {
      const { world, crew } = scene;
      const restore = backup(world.journal("prod"));
      later(scene, Number(after), () => {
        world.trace.write("person", "puts back an older copy of the journal");
        crew.killWorkers();
        restore();
        world.observer.journalForgot();
      });
    },
  },
  "journal lost": {
    draw: () => ({}),
    apply: ({ world, crew }) => {
      world.trace.write("person", "loses the journal");
      crew.killWorkers();
      world.journals.delete("prod");
      world.observer.journalForgot();
    },
  },
};
