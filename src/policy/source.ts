import { redact } from "./literals.ts";
import type { Span } from "./tree.ts";

/** Longest line that is quoted whole, and how much of a longer one stands before the fault. */
const WIDTH = 110;
const BEFORE = 50;
/** A longer line was written by no person, and is not quoted. */
const LONGEST_LINE = 10_000;

/** The text of a policy, for saying where something stands without showing a secret that stands there. */
export class Source {
  readonly text: string;
  /** The offset at which each line begins. */
  readonly #lines: number[] = [0];
  readonly #secrets: Span[] = [];

  constructor(text: string) {
    this.text = text;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#lines.push(at + 1);
  }

  /** Takes what stands there out of every line quoted from now on. */
  hide(span: Span): void {
    this.#secrets.push(span);
  }

  /** Line and column, from 1, of an offset. */
  position(offset: number): { line: number; column: number } {
    const at = Math.min(offset, this.text.length);
    let [line, beyond] = [0, this.#lines.length];
    while (beyond - line > 1) {
      const middle = (line + beyond) >> 1;
      if ((this.#lines[middle] as number) <= at) line = middle;
      else beyond = middle;
    }
    return { line: line + 1, column: at - (this.#lines[line] as number) + 1 };
  }

  /** The line that an offset stands on, fit for printing, and where in it the offset is; undefined for an endless one. */
  excerpt(offset: number): { text: string; caret: number } | undefined {
    const start = this.text.lastIndexOf("\n", offset - 1) + 1;
    const newline = this.text.indexOf("\n", offset);
    const end = newline < 0 ? this.text.length : newline;
    if (end - start > LONGEST_LINE) return undefined;
    const line = printable(redact(this.#masked(start, end)));
    const caret = Math.min(printable(redact(this.#masked(start, offset))).length, line.length);
    if (line.length <= WIDTH) return { text: line, caret };
    const from = Math.max(0, Math.min(caret - BEFORE, line.length - WIDTH));
    const cut = line.slice(from, from + WIDTH);
    return {
      text: `${from > 0 ? "…" : ""}${cut}${from + WIDTH < line.length ? "…" : ""}`,
      caret: caret - from + (from > 0 ? 1 : 0),
    };
  }

  #masked(start: number, end: number): string {
    let [out, at] = ["", start];
    const inside = this.#secrets.filter((span) => span.start < end && span.end > start);
    for (const span of inside.sort((a, b) => a.start - b.start)) {
      if (span.start > at) out += this.text.slice(at, span.start);
      if (span.end > at) out += "[secret]";
      at = Math.max(at, span.end);
    }
    return at < end ? out + this.text.slice(at, end) : out;
  }
}

/** The text on one line, without characters that would move a terminal's cursor. */
export function printable(text: string): string {
  return text
    .replace(/\r$/, "")
    .replace(/\p{Cc}|\p{Bidi_Control}/gu, (found) => (found === "\t" ? " " : "\u{fffd}"));
}
