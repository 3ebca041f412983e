import type { Random } from "../../src/lib/random.ts";
import type { Store } from "../../src/stores/store.ts";
import type { QuietClock } from "./quiet-clock.ts";
import type { Sites } from "./sites.ts";

export const SECRET = "payments";

/** What a place of secrets durably is at one instant. */
export interface PlaceImage {
  /** All of it that has a bearing on what comes, as text. */
  readonly text: string;
  /** What `open` of a place's kind takes to make it again. */
  readonly content: unknown;
}

/** Where secrets are kept in one world. */
export interface Place {
  /** What consumers read. */
  current(): string | undefined;
  /** A person puts the text that consumers read. */
  write(text: string): void;
  /** The store as one process uses it. */
  open(random: Random, sites: Sites): Store;
  image(): PlaceImage;
  /** Another value after every change. */
  mark(): unknown;
  /** All that can still be read there, as text. */
  kept(): string;
  /** How many versions stand in a stage. */
  staged(): number;
}

/** Makes a place, empty or as it once was. */
export type PlaceKind = (clock: QuietClock, content?: unknown) => Place;
