import { RotationError } from "../lib/errors.ts";
import type { IssuedKey } from "./provider.ts";

export interface PageSize {
  /** Entries in a full page. */
  asked: number;
  /** The fewest entries to which a server may cut a page although more follow; a page with fewer is the last. */
  least: number;
}

/** As documented: 100 entries, always. */
const FULL: PageSize = { asked: 100, least: 100 };
/**
 * Each page repeats the last ten entries of the one before. Entries move while a list is walked:
 * a newer key pushes them back (they come twice), a deletion pulls them forward, and with pages
 * set edge to edge one would slip past unseen. A page that shares nothing with what was seen has
 * slipped by more than that, and is walked to again from one page before.
 */
const OVERLAP = 10;
/** More than ninety thousand keys, or a server that never ends. */
const MOST_PAGES = 1000;
/** Pages in a row that bring nothing new before the server is taken not to know `offset`. */
const MOST_STALE = 10;

/** Every key of a list that is read in pages by offset: {@link walkEntries}. */
export function walk(
  page: (offset: number) => Promise<IssuedKey[]>,
  size: PageSize = FULL,
): Promise<IssuedKey[]> {
  return walkEntries(page, ({ hash }) => hash, size);
}

/**
 * Every entry of a list that is read in pages by offset, until a page is short; each once, as it
 * was last seen. A server that gives one and the same page whatever the offset has given all of
 * it, unless that page is just as long as was asked. Throws RotationError `malformed` when the
 * pages never end.
 */
export async function walkEntries<T>(
  page: (offset: number) => Promise<T[]>,
  idOf: (entry: T) => string,
  size: PageSize = FULL,
): Promise<T[]> {
  const seen = new Map<string, T>();
  let first: string | undefined;
  let longest = 0;
  let stale = 0;
  for (let pages = 0, offset = 0; pages < MOST_PAGES && stale < MOST_STALE; pages++) {
    const entries = await page(offset);
    const before = seen.size;
    const ids = entries.map(idOf);
    if (offset > 0 && !ids.some((id) => seen.has(id))) {
      // Not remembered: what was seen stays one unbroken stretch, or the gap would look closed.
      offset = Math.max(0, offset - (longest - OVERLAP));
    } else {
      for (const entry of entries) seen.set(idOf(entry), entry);
      const shorter = entries.length < size.asked && entries.length < longest;
      const again = offset > 0 && entries.length !== size.asked && ids.join() === first;
      if (entries.length < size.least || shorter || again) return [...seen.values()];
      if (offset === 0) first = ids.join();
      longest = Math.max(longest, entries.length);
      offset += entries.length - OVERLAP;
    }
    stale = seen.size === before ? stale + 1 : 0;
  }
  throw new RotationError("malformed", "the list does not end: page after page is full", {
    hint: "check the base URL: is something in between answering from a cache?",
  });
}

export interface TokenPage<T> {
  entries: T[];
  /** Asks for the page after this one; undefined on the last. */
  next: string | undefined;
}

/**
 * Every entry of a list whose pages name the one that follows, from the first page on; each once,
 * as it was last seen. Throws RotationError `malformed` when a page leads back to one that was read.
 */
export async function walkTokens<T>(
  first: TokenPage<T>,
  page: (token: string) => Promise<TokenPage<T>>,
  idOf: (entry: T) => string,
): Promise<T[]> {
  const seen = new Map<string, T>();
  const tokens = new Set<string>();
  for (let { entries, next } = first; ; { entries, next } = await page(next)) {
    for (const entry of entries) seen.set(idOf(entry), entry);
    if (next === undefined) return [...seen.values()];
    if (tokens.has(next) || tokens.size >= MOST_PAGES) {
      throw new RotationError("malformed", "the list does not end: its pages lead round in a circle", {
        hint: "check the base URL: is something in between answering from a cache?",
      });
    }
    tokens.add(next);
  }
}
