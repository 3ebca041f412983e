import type { Clock } from "../lib/clock.ts";
import type { ErrorCode, RotationError } from "../lib/errors.ts";

/** What a health question is answered with. Problems are sentences, without secrets. */
export interface Standing {
  ok: boolean;
  problems: string[];
  /** What somebody should look at although all works; left out when there is nothing. */
  warnings?: string[];
}

/** Of a pass's result for one key, what tells how well its pass could work. */
export interface KeyStanding {
  key: string;
  message: string;
  /** Why the key could not go on, if it could not: an error's code, or a reason of the rotation's; `busy` while another pass has it in hand. */
  code?: string;
}

/** What a provider, a store or the journal does to us. All else, such as a consumer that does not confirm, is a key's own affair. */
const OUTSIDE: ReadonlySet<string> = new Set<ErrorCode>([
  "unauthorized",
  "forbidden",
  "throttled",
  "unreachable",
  "unclear",
  "malformed",
  "unusable",
  "full",
  "newer-version",
  "internal",
]);

/** More have a common cause. */
const MOST_PROBLEMS = 20;

/** How a worker fares, as its loop tells it: asking costs nothing and looks at nothing outside. */
export class Health {
  readonly #clock: Clock;
  readonly #longestTurnMs: number;
  #turnedAt: number;
  #journal: string | undefined = "the journal has not been read yet";
  #writing: string | undefined;
  #pass: string | undefined = "no pass has ended yet";
  /** When a pass last went through. */
  #passedAt: number;
  #policy: string | undefined;
  readonly #keys = new Map<string, string>();

  /**
   * `longestTurnMs`: the loop is dead when its latest turn is longer ago, and gets nothing done when no
   * pass has ended for as long. One pass may last for days, while a rotation in it waits; those that
   * begin beside it leave that rotation to it, so that with every turn one ends.
   */
  constructor(clock: Clock, longestTurnMs: number) {
    this.#clock = clock;
    this.#longestTurnMs = longestTurnMs;
    this.#turnedAt = clock.now();
    this.#passedAt = clock.now();
  }

  /** The loop begins another turn. */
  turned(): void {
    this.#turnedAt = this.#clock.now();
  }

  /** The journal was read, or could not be. */
  read(error?: RotationError): void {
    this.#journal = error && `the journal cannot be read: ${sentence(error)}`;
  }

  /** A write of the journal was tried, and went through or did not. */
  written(error?: RotationError): void {
    this.#writing = error && `the journal cannot be written: ${sentence(error)}`;
  }

  /** A pass has ended with these results, or was broken off. */
  passed(results: readonly KeyStanding[] | RotationError): void {
    if (results instanceof Error) {
      this.#pass = `the last pass failed: ${sentence(results)}`;
      return;
    }
    this.#pass = undefined;
    this.#passedAt = this.#clock.now();
    for (const { key, code, message } of results) {
      if (code === "busy") continue;
      if (code !== undefined && OUTSIDE.has(code)) this.#keys.set(key, `${key}: ${message}`);
      else this.#keys.delete(key);
    }
  }

  /** Whether the policy in force is what its file says; `problem`, a sentence, says why not. */
  policyLoaded(ok: boolean, problem = "the policy file is refused; the old policy stays in force"): void {
    this.#policy = ok ? undefined : problem;
  }

  /** Whether the loop still turns. A clock that was set back counts as a turn. */
  alive(): Standing {
    const ago = this.#clock.now() - this.#turnedAt;
    if (ago <= this.#longestTurnMs) return { ok: true, problems: [] };
    return {
      ok: false,
      problems: [`no pass has begun for ${Math.round(ago / 1_000)} seconds: the worker hangs`],
    };
  }

  /**
   * Whether it can do its work: the journal is readable and writable, the last pass went through and
   * is not too long ago, and no provider or store holds a key up.
   */
  ready(): Standing {
    const { problems: dead } = this.alive();
    const pass = this.#pass ?? (dead.length === 0 ? this.#stale() : undefined);
    const problems = [...dead, this.#journal, this.#writing, pass, ...this.#keys.values()].filter(
      (problem) => problem !== undefined,
    );
    const more = problems.length - MOST_PROBLEMS;
    const shown = more > 0 ? [...problems.slice(0, MOST_PROBLEMS), `and ${more} more`] : problems;
    return {
      ok: problems.length === 0,
      problems: shown,
      ...(this.#policy === undefined ? {} : { warnings: [this.#policy] }),
    };
  }

  #stale(): string | undefined {
    const ago = this.#clock.now() - this.#passedAt;
    if (ago <= this.#longestTurnMs) return undefined;
    return `no pass has ended for ${Math.round(ago / 1_000)} seconds`;
  }
}

function sentence({ message, hint }: RotationError): string {
  return hint === undefined ? message : `${message}; ${hint}`;
}
