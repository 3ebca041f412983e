import { setImmediate as restOfTheTurn } from "node:timers/promises";
import { RotationError } from "../../lib/errors.ts";

/** What writes a group of changes: the connection. */
export interface Writer {
  /** Makes the attempt until it finds the journal unlocked; throws `busy` when it stays locked, and what the attempt throws. */
  patiently(attempt: () => void): Promise<void>;
  /** Runs `work` as one transaction: on the disk when this returns, and gone without a trace when it throws. */
  transaction(work: () => void): void;
  /** Runs `change` as a part of the transaction that leaves nothing when it throws a RotationError. */
  part<T>(change: () => T): T;
}

interface Waiting {
  change: () => unknown;
  resolve(value: unknown): void;
  reject(thrown: unknown): void;
}

/** So many changes share one commit at most: nothing else runs while they are made. */
const MOST_TOGETHER = 64;

/**
 * Group commit: changes that are asked for in one turn of the event loop, or while the journal is
 * locked, are made in that order in one transaction, and so wait for the disk once. A promise is
 * settled only after it. A change that is refused fails alone. Where the transaction fails, each
 * change is made in one of its own, and fails as it would have by itself.
 */
export class GroupCommit {
  readonly #writer: Writer;
  readonly #waiting: Waiting[] = [];
  #running = false;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** Makes one change; when this resolves, it is on the disk. `change` may be run more than once: what came of it before was rolled back. */
  add<T>(change: () => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ change, resolve, reject });
    if (!this.#running) void this.#run();
    return promise as Promise<T>;
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      await restOfTheTurn();
      await this.#writeNext(MOST_TOGETHER);
    }
    this.#running = false;
  }

  async #writeNext(most: number): Promise<void> {
    const patient = this.#waiting.length;
    let group: Waiting[] = [];
    let settle: (() => void)[] = [];
    try {
      await this.#writer.patiently(() => {
        // Also what has come while the journal was locked.
        group = this.#waiting.slice(0, most);
        this.#writer.transaction(() => {
          settle = group.map((one) => this.#make(one));
        });
      });
    } catch (thrown) {
      if (thrown instanceof RotationError && thrown.code === "busy")
        for (const { reject } of this.#waiting.splice(0, patient)) reject(thrown);
      else if (group.length > 1) for (const _ of group) await this.#writeNext(1);
      else this.#waiting.shift()?.reject(thrown);
      return;
    }
    this.#waiting.splice(0, group.length);
    for (const tell of settle) tell();
  }

  /** Makes a change, within the transaction; what is to be told of it once that is on the disk. */
  #make({ change, resolve, reject }: Waiting): () => void {
    try {
      const value = this.#writer.part(change);
      return () => resolve(value);
    } catch (thrown) {
      if (thrown instanceof RotationError) return () => reject(thrown);
      throw thrown;
    }
  }
}
