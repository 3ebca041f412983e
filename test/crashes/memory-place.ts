import { type MemoryBacking, type MemorySecret, memoryStore } from "../../src/stores/memory.ts";
import { type PlaceKind, SECRET } from "./place.ts";
import type { Sites } from "./sites.ts";

/** Each method of the store is a site; a save can be torn between the record and what consumers read. */
export const memoryPlace: PlaceKind = (clock, content) => {
  const backing = new TearableBacking(content as MemoryBacking | undefined);
  return {
    current: () => backing.get(SECRET)?.text,
    write: (text) => backing.set(SECRET, { ...backing.get(SECRET), text }),
    open: (_, sites) => {
      backing.sites = sites;
      return sites.of(memoryStore("local", { clock, backing }), "store");
    },
    image: () => ({ text: JSON.stringify([...backing]), content: new Map(backing) }),
    mark: () => backing.get(SECRET),
    kept: () => JSON.stringify([...backing]),
    staged: () => backing.get(SECRET)?.record?.staged.length ?? 0,
  };
};

class TearableBacking extends Map<string, MemorySecret> {
  sites: Sites | undefined;

  override set(name: string, next: MemorySecret): this {
    const before = this.get(name);
    if (next.record === undefined || next.text === before?.text) return super.set(name, next);
    super.set(name, { ...before, record: next.record });
    this.sites?.within("the record is saved, and consumers still read the old text");
    return super.set(name, next);
  }
}
