import { fileStore } from "../../src/stores/file/file-store.ts";
import type { Store } from "../../src/stores/store.ts";
import type { Disk, Tree } from "./disk.ts";
import { type PlaceKind, SECRET } from "./place.ts";
import type { QuietClock } from "./quiet-clock.ts";
import type { Sites } from "./sites.ts";

const CONSUMER_FILE = `secrets/${SECRET}.json`;
const RECORD = `secrets/.keyturn/records/${SECRET}.json`;

/** Every call that changes the disk is a site. There is one disk: only the world made last has a place. */
export function filePlace(disk: Disk): PlaceKind {
  return (clock, content) => {
    disk.sites = undefined;
    disk.restore((content ?? []) as Tree);
    let read = { at: -1, text: undefined as string | undefined };
    const textOf = (path: string) => disk.tree().find(([found]) => found === path)?.[1].text;
    return {
      current() {
        if (read.at !== disk.changes) read = { at: disk.changes, text: disk.text(CONSUMER_FILE) };
        return read.text;
      },
      write(text) {
        disk.restore([
          ["secrets", { mode: 0o700 }],
          [CONSUMER_FILE, { mode: 0o600, text }],
        ]);
      },
      open: (random, sites) =>
        telling(
          fileStore(
            "local",
            { path: `${disk.folder}/secrets`, mode: "0600", dirMode: "0700" },
            { clock, random },
          ),
          disk,
          clock,
          sites,
        ),
      image() {
        const content = disk.tree();
        return { text: JSON.stringify(content), content };
      },
      mark: () => disk.changes,
      kept: () => JSON.stringify(disk.tree()),
      staged: () => {
        const record = textOf(RECORD);
        const leftovers = disk.tree().filter(([path]) => path.endsWith(".tmp")).length;
        return leftovers + (record === undefined ? 0 : JSON.parse(record).staged.length);
      },
    };
  };
}

/** The same store, whose work on the disk is told of, and during which time stands still. */
function telling(store: Store, disk: Disk, clock: QuietClock, sites: Sites): Store {
  return new Proxy(store, {
    get(inner, property) {
      const value = Reflect.get(inner, property) as unknown;
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        disk.sites = sites;
        return clock.during(value.apply(inner, args) as Promise<unknown>);
      };
    },
  });
}
