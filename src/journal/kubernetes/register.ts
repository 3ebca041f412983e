import { RotationError } from "../../lib/errors.ts";
import { hashTaken } from "../rules.ts";
import { documentOf, type Entry, readEntry, writeEntry } from "./entry.ts";
import type { Objects } from "./objects.ts";
import { type Outside, persist } from "./persist.ts";
import { requireRoot, writeRoot } from "./root.ts";

/** How many numbers for its events a target reserves at a time. */
export const NUMBERS = 1_000;

/** What the root is to know of a target before its entry is written. */
export interface Registration {
  /**
   * All that its document holds now, or will. What else it claims stays claimed: by the time that this
   * is written, another process may hold the lease, and the claims be that one's.
   */
  hashes?: ReadonlySet<string>;
  /** Whether to reserve numbers for its events. */
  numbers?: boolean;
}

/**
 * The part of the journal that targets share: which there are, to which a hash belongs, and numbers
 * for events. It is written before the entry that depends on it, so an entry is never ahead of it;
 * after a crash in between it is ahead of the entry, which every reader allows for.
 */
export class Register {
  readonly #objects: Objects;
  readonly #id: string;
  readonly #outside: Outside;

  constructor(objects: Objects, id: string, outside: Outside) {
    this.#objects = objects;
    this.#id = id;
    this.#outside = outside;
  }

  async targets(): Promise<Set<string>> {
    return (await requireRoot(this.#objects, this.#id)).root.targets;
  }

  /** The target whose document holds a hash. A claim alone, of a commit that has not ended, is none. */
  async ownerOf(hash: string): Promise<string | undefined> {
    const { root } = await requireRoot(this.#objects, this.#id);
    const claimed = root.hashes.get(hash);
    return claimed !== undefined && (await this.#entryWithout(claimed, hash)) === undefined
      ? claimed
      : undefined;
  }

  /**
   * Lists the target, claims its hashes and reserves numbers, as one write, even if nothing changes:
   * whoever is about to take over a claim must find it made anew. Gives the first number reserved.
   * Throws `conflict` for a hash of another target.
   */
  register(target: string, { hashes, numbers }: Registration): Promise<number | undefined> {
    return persist(this.#said(), this.#outside, async () => {
      const { root, object } = await requireRoot(this.#objects, this.#id);
      for (const hash of hashes ?? []) {
        const owner = root.hashes.get(hash);
        if (owner === undefined || owner === target) continue;
        if (!(await this.#fence(owner, hash))) throw hashTaken(hash, target, owner);
      }
      root.targets.add(target);
      for (const hash of hashes ?? []) root.hashes.set(hash, target);
      const first = root.nextSeq;
      if (numbers) root.nextSeq += NUMBERS;
      await writeRoot(this.#objects, object, root);
      return numbers ? first : undefined;
    });
  }

  /** Gives hashes of a target back that its document holds no more. What fails stays claimed, which keeps them from nobody. */
  async drop(target: string, hashes: readonly string[]): Promise<void> {
    try {
      await persist(this.#said(), this.#outside, async () => {
        const { root, object } = await requireRoot(this.#objects, this.#id);
        for (const hash of hashes) if (root.hashes.get(hash) === target) root.hashes.delete(hash);
        await writeRoot(this.#objects, object, root);
      });
    } catch (thrown) {
      if (!(thrown instanceof RotationError)) throw thrown;
    }
  }

  /** A target's entry, when it certainly does not hold a hash; what cannot be read may hold it. */
  async #entryWithout(target: string, hash: string): Promise<Entry | undefined> {
    try {
      const { entry } = await readEntry(this.#objects, this.#id, target);
      return entry && documentOf(entry).issued[hash] === undefined ? entry : undefined;
    } catch (thrown) {
      if (thrown instanceof RotationError && ["unusable", "newer-version", "forbidden"].includes(thrown.code))
        return undefined;
      throw thrown;
    }
  }

  /**
   * Makes sure that a target holds no hash that it has claimed, and that no commit of its in flight
   * can bring it: a commit reads the entry, claims, and writes over what it read. So the entry is
   * changed here, and the commit has to claim anew, which the write of the root to come prevents.
   * False when the target holds the hash.
   */
  async #fence(target: string, hash: string): Promise<boolean> {
    const entry = await this.#entryWithout(target, hash);
    if (entry === undefined) return false;
    entry.state.fenced += 1;
    await writeEntry(this.#objects, entry);
    return true;
  }

  #said(): string {
    return this.#objects.said("ConfigMap", this.#objects.config.name);
  }
}
