import type { Entry } from "./entry.ts";

/** An entry may have several hundred KiB. */
const MOST_KNOWN = 128;

/**
 * Entries as this process last saw them. A write may be tried over one of them without reading it
 * again: where somebody has changed it since, the API server refuses that. The latest are kept.
 */
export class KnownEntries {
  readonly #entries = new Map<string, Entry>();

  remember(entry: Entry): void {
    const { target } = entry.state;
    this.#entries.delete(target);
    if (!entry.begun) return;
    this.#entries.set(target, entry);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size > MOST_KNOWN) this.#entries.delete(oldest);
  }

  /** Gives an entry for one write: what comes of that must be read, or remembered anew. */
  take(target: string): Entry | undefined {
    const entry = this.#entries.get(target);
    this.#entries.delete(target);
    return entry;
  }
}
