import { createHash } from "node:crypto";

/** All that happens in one run, in order: hashed, so that two runs can be compared, and kept as lines where somebody wants to read it. */
export class Trace {
  /** The story so far, when it is kept. */
  readonly lines: string[] | undefined;
  readonly #hash = createHash("sha256");
  #pending = "";
  readonly #start: number;
  readonly #now: () => number;
  readonly #names = new Map<string, string>();

  constructor(parts: { now: () => number; keep: boolean }) {
    this.#now = parts.now;
    this.#start = parts.now();
    this.lines = parts.keep ? [] : undefined;
  }

  write(who: string, what: string): void {
    this.#pending += `${this.#now()} ${who} ${what}\n`;
    if (this.#pending.length > 16_384) this.#flush();
    this.lines?.push(`${this.#instant()}  ${who.padEnd(10)} ${this.#readable(what)}`);
  }

  /** The hash of everything written. Ends the trace. */
  digest(): string {
    this.#flush();
    return this.#hash.digest("hex").slice(0, 16);
  }

  #flush(): void {
    this.#hash.update(this.#pending);
    this.#pending = "";
  }

  /** A short name for a provider's hash, so that a story can be followed. */
  name(hash: string, name: string): void {
    this.#names.set(hash, name);
  }

  #readable(text: string): string {
    return text.replace(/[0-9a-f]{64}/g, (hash) => this.#names.get(hash) ?? hash.slice(0, 8));
  }

  /** `day 3 04:00:12.350`, counted from the start. */
  #instant(): string {
    const passed = this.#now() - this.#start;
    const day = Math.floor(passed / 86_400_000);
    return `day ${String(day).padStart(2)} ${new Date(passed - day * 86_400_000).toISOString().slice(11, 23)}`;
  }
}
