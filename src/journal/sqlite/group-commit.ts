import { setImmediate as restOfTheTurn } from "node:timers/promises";
import { RotationError } from "../../lib/errors.ts";

/** What writes a group of changes: the connection. */
export interface Writer {
  /** Makes the attempt until it finds the journal unlocked; throws `busy` when it stays locked, and what the attempt throws. */
  patiently(attempt: () => void): Promise<void>;
  /** Runs `work` as one transaction, which a death of the process cannot undo when this returns; gone without a trace when it throws. */
  transaction(work: () => void): void;
  /** Resolves once no loss of power can undo any transaction so far; throws what kept it from that. */
  durable(): Promise<void>;
  /** Runs `change` as a part of the transaction that leaves nothing when it throws a RotationError. */
  part<T>(change: () => T): T;
}

interface Waiting {
  change: () => unknown;
  resolve(value: unknown): void;
  reject(thrown: unknown): void;
}

/** What is told of a change once the transaction is on the disk, or when that has failed. */
interface Outcome {
  told(): void;
  lost(thrown: unknown): void;
}

/** So many changes share one commit at most: nothing else runs while they are made. */
const MOST_TOGETHER = 64;
/** So many are told of it in one turn: each goes on with its work at once, and answers from outside would wait for all of it. */
const TOLD_TOGETHER = 4;

/**
 * Group commit: changes that are asked for in one turn of the event loop, or while the journal is
 * locked, or is at the disk, are made in that order in one transaction, and so wait for the disk once.
 * A promise is settled only after it. A change that is refused fails alone. Where the transaction
 * fails, each change is made in one of its own, and fails as it would have by itself.
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
    let outcomes: Outcome[] = [];
    try {
      await this.#writer.patiently(() => {
        // Also what has come while the journal was locked.
        group = this.#waiting.slice(0, most);
        this.#writer.transaction(() => {
          outcomes = group.map((one) => this.#make(one));
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
    try {
      await this.#writer.durable();
    } catch (thrown) {
      for (const { lost } of outcomes) lost(thrown);
      return;
    }
    for (const [index, { told }] of outcomes.entries()) {
      if (index > 0 && index % TOLD_TOGETHER === 0) await restOfTheTurn();
      told();
    }
  }

  /** Makes a change, within the transaction. */
  #make({ change, resolve, reject }: Waiting): Outcome {
    try {
      const value = this.#writer.part(change);
      return { told: () => resolve(value), lost: reject };
    } catch (thrown) {
      if (!(thrown instanceof RotationError)) throw thrown;
      const refused = () => reject(thrown);
      return { told: refused, lost: refused };
    }
  }
}
