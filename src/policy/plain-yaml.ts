import type { Path, Scalar, Span, Tree } from "./tree.ts";

/** Thrown and caught here: what stands there is left to the library. */
class NotPlain extends Error {}
const NOT_PLAIN = new NotPlain();

const LINE_END = / *(?: #[^\n]*)?(?:\n|$)/y;
const NOTHING_ON_LINE = / *(?:#[^\n]*)?(?:\n|$)/y;
const QUOTED = /"([^"\\\n]*)"|'([^'\n]*)'(?!')/y;
const FIELD = /(?:([A-Za-z_][\w.-]*)|"([^"\\\n]{1,200})"|'([^'\n]{1,200})'(?!')):(?=[ \n]|$)/y;
const IN_BLOCK = /(?:[A-Za-z0-9/]|\.\.?\/|\$\{)(?:[\w./+@%=&;?*~^<>()!${}[\],-]|:(?=[\w/-])| (?=[\w(/.$]))*/y;
const IN_FLOW = /(?:[A-Za-z0-9/]|\.\.?\/)(?:[\w./+@%=&;*~^<>()!$-]|:(?=[\w/])| (?=[\w(/.]))*/y;

/**
 * The tree of a YAML text that is plain: maps and lists by indentation, those in `{ }` and `[ ]` on
 * one line, words, numbers, quoted text without escapes, comments. Nearly every policy is, and one of
 * thousands of keys is read in a tenth of the library's time. Undefined for everything else, faulty
 * text among it, which the library is to judge. The two give the same tree, places included, except
 * where a map or list ends.
 */
export function readPlainYaml(text: string, most: Limits): Tree | undefined {
  if (/[\t\r\ufeff]/.test(text)) return undefined;
  try {
    return new Reader(text, most).root();
  } catch (thrown) {
    if (thrown instanceof NotPlain) return undefined;
    throw thrown;
  }
}

/** How many values are read at most, and how deep they may lie. */
export interface Limits {
  values: number;
  deep: number;
}

interface Place {
  path: Path;
  keyAt?: Span;
  depth: number;
}

class Reader {
  readonly #text: string;
  /** Between lines, at the first character of the next one that holds anything. */
  #at = 0;
  /** Spaces before that character; -1 at the end of the text. */
  #indent = 0;
  readonly #most: Limits;
  #values = 0;

  constructor(text: string, most: Limits) {
    this.#text = text;
    this.#most = most;
  }

  root(): Tree {
    this.#nextLine();
    if (this.#indent !== 0) throw NOT_PLAIN;
    const root = this.#map(0, { path: [], depth: 0 });
    if (this.#at < this.#text.length) throw NOT_PLAIN;
    return root;
  }

  /** A map whose first field stands here, at column `indent`. */
  #map(indent: number, place: Place): Tree {
    const start = this.#at;
    const entries = new Map<string, Tree>();
    do {
      const at = this.#at;
      const field = this.#take(FIELD);
      const name = fieldName(field);
      const keyAt = { start: at, end: this.#at - 1 };
      this.#put(entries, name, this.#fieldValue(indent, inside(place, name, keyAt)));
    } while (this.#indent === indent && !this.#startsItem());
    if (this.#indent > indent) throw NOT_PLAIN;
    return { kind: "map", ...this.#place(place, start), entries };
  }

  #fieldValue(indent: number, place: Place): Tree {
    if (!this.#matches(LINE_END)) {
      this.#spaces();
      return this.#inline(place);
    }
    this.#nextLine();
    if (this.#startsItem() && this.#indent >= indent) return this.#list(this.#indent, place);
    if (this.#indent <= indent) throw NOT_PLAIN;
    return this.#map(this.#indent, place);
  }

  /** A list whose first dash stands here, at column `indent`. */
  #list(indent: number, place: Place): Tree {
    const start = this.#at;
    const items: Tree[] = [];
    do {
      const dash = this.#at;
      this.#at += 1;
      this.#spaces();
      const of = inside(place, items.length);
      FIELD.lastIndex = this.#at;
      const isMap = FIELD.test(this.#text);
      items.push(isMap ? this.#map(indent + this.#at - dash, of) : this.#inline(of));
    } while (this.#indent === indent && this.#startsItem());
    if (this.#indent > indent) throw NOT_PLAIN;
    return { kind: "list", ...this.#place(place, start), items };
  }

  /** A value, and nothing behind it on its line. */
  #inline(place: Place): Tree {
    const value = this.#value(place, IN_BLOCK);
    if (!this.#matches(LINE_END)) throw NOT_PLAIN;
    this.#nextLine();
    return value;
  }

  #value(place: Place, plain: RegExp): Tree {
    const start = this.#at;
    const first = this.#text[start];
    if (first === "{") return this.#flowMap(place);
    if (first === "[") return this.#flowList(place);
    if (first === '"' || first === "'") {
      const [, double, single] = this.#take(QUOTED);
      return { kind: "scalar", ...this.#place(place, start), value: double ?? single ?? "" };
    }
    const [word] = this.#take(plain);
    return { kind: "scalar", ...this.#place(place, start), value: meaningOf(word) };
  }

  #flowMap(place: Place): Tree {
    const start = this.#at;
    const entries = new Map<string, Tree>();
    this.#each("}", () => {
      const at = this.#at;
      const field = this.#take(FIELD);
      const name = fieldName(field);
      const keyAt = { start: at, end: this.#at - 1 };
      this.#spaces();
      this.#put(entries, name, this.#value(inside(place, name, keyAt), IN_FLOW));
    });
    return { kind: "map", ...this.#place(place, start), entries };
  }

  #flowList(place: Place): Tree {
    const start = this.#at;
    const items: Tree[] = [];
    this.#each("]", () => {
      items.push(this.#value(inside(place, items.length), IN_FLOW));
    });
    return { kind: "list", ...this.#place(place, start), items };
  }

  /** Reads what stands between a bracket and `close`, with commas between. */
  #each(close: string, read: () => void): void {
    this.#at += 1;
    this.#spaces();
    if (this.#text[this.#at] !== close) {
      for (;;) {
        read();
        this.#spaces();
        if (this.#text[this.#at] === close) break;
        if (this.#text[this.#at] !== ",") throw NOT_PLAIN;
        this.#at += 1;
        this.#spaces();
      }
    }
    this.#at += 1;
  }

  /** Where a value stands that began at `start` and ends here. */
  #place({ path, keyAt, depth }: Place, start: number): Omit<Scalar, "kind" | "value"> {
    this.#values += 1;
    if (this.#values > this.#most.values || depth > this.#most.deep) throw NOT_PLAIN;
    const at = { start, end: this.#at };
    return keyAt ? { path, at, keyAt } : { path, at };
  }

  #put(entries: Map<string, Tree>, name: string, value: Tree): void {
    if (entries.has(name)) throw NOT_PLAIN;
    entries.set(name, value);
  }

  #startsItem(): boolean {
    return this.#text[this.#at] === "-" && this.#text[this.#at + 1] === " ";
  }

  /** Goes on to the next line that holds more than a comment; to be called where a line begins. */
  #nextLine(): void {
    while (this.#at < this.#text.length && this.#matches(NOTHING_ON_LINE));
    const begin = this.#at;
    this.#spaces();
    this.#indent = this.#at < this.#text.length ? this.#at - begin : -1;
  }

  #spaces(): void {
    while (this.#text[this.#at] === " ") this.#at += 1;
  }

  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#text)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #take(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) throw NOT_PLAIN;
    this.#at = pattern.lastIndex;
    return found;
  }
}

function inside({ path, depth }: Place, step: string | number, keyAt?: Span): Place {
  return { path: [...path, step], depth: depth + 1, ...(keyAt && { keyAt }) };
}

/** Field names that are no text by themselves, and one that means something to JavaScript. */
const ODD_NAMES = /^(?:null|true|false|__proto__)$/i;

function fieldName([, word, double, single]: RegExpExecArray): string {
  const name = word ?? double ?? single ?? "";
  if (word !== undefined && ODD_NAMES.test(word)) throw NOT_PLAIN;
  if (name === "__proto__") throw NOT_PLAIN;
  return name;
}

const WHOLE_NUMBER = /^(?:0|[1-9]\d{0,14})$/;
/** Digits, and then what no number holds. */
const NO_NUMBER = /^(?:\d+(?:ms|s|m|h|d)|\d+(?:\.\d+){2,}|.*[^\d.+\-_a-fox].*)$/i;

/** What a word without quotes means; a number in an unusual form is left to the library. */
function meaningOf(word: string): string | number | boolean | null {
  const first = word.charCodeAt(0);
  const startsLikeNumber = first >= 46 && first <= 57 && first !== 47;
  if (startsLikeNumber) {
    if (WHOLE_NUMBER.test(word)) return Number(word);
    if (!NO_NUMBER.test(word)) throw NOT_PLAIN;
    return word;
  }
  if (word === "true") return true;
  if (word === "false") return false;
  if (word === "null") return null;
  if (/^(?:null|true|false)$/i.test(word)) throw NOT_PLAIN;
  return word;
}
