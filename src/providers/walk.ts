import { RotationError } from "../lib/errors.ts";
import type { IssuedKey } from "./provider.ts";

/** Entries in a full page, as documented. */
const PAGE = 100;
/**
 * Each page repeats the last ten entries of the one before. Entries move while a list is walked:
 * a newer key pushes them back (they come twice), a deletion pulls them forward, and with pages
 * set edge to edge one would slip past unseen. A page that shares nothing with what was seen has
 * slipped by more than that, and is walked to again from one page before.
 */
const STEP = 90;
/** More than ninety thousand keys, or a server that never ends. */
const MOST_PAGES = 1000;
/** Pages in a row that bring nothing new before the server is taken not to know `offset`. */
const MOST_STALE = 10;

/**
 * Every key of a list that is read in pages by offset, newest first, until a page is short; each
 * once, as it was last seen. Throws RotationError `malformed` when the pages never end.
 */
export async function walk(page: (offset: number) => Promise<IssuedKey[]>): Promise<IssuedKey[]> {
  const seen = new Map<string, IssuedKey>();
  let stale = 0;
  for (let pages = 0, offset = 0; pages < MOST_PAGES && stale < MOST_STALE; pages++) {
    const entries = await page(offset);
    const before = seen.size;
    if (offset > 0 && !entries.some(({ hash }) => seen.has(hash))) {
      // Not remembered: what was seen stays one unbroken stretch, or the gap would look closed.
      offset = Math.max(0, offset - STEP);
    } else {
      for (const entry of entries) seen.set(entry.hash, entry);
      if (entries.length < PAGE) return [...seen.values()];
      offset += STEP;
    }
    stale = seen.size === before ? stale + 1 : 0;
  }
  throw new RotationError("malformed", "the list of keys does not end: page after page is full", {
    hint: "check the base URL: is something in between answering from a cache?",
  });
}
