import {
  COLLECTION_STYLE,
  type CollectionStyle,
  EVENT_ID,
  type Event,
  getScalarValue,
  type MappingEvent,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
  type ScalarStyle,
  type SequenceEvent,
} from "js-yaml";
import { DEEPEST, MOST_VALUES, type Path, type Scalar, type Span, type Tree } from "./tree.ts";

/** How wide the quotes around a text are, by its style. */
const QUOTES = new Map<ScalarStyle, number>([
  [SCALAR_STYLE.PLAIN, 0],
  [SCALAR_STYLE.SINGLE_QUOTED, 1],
  [SCALAR_STYLE.DOUBLE_QUOTED, 1],
]);

/** What readers of YAML take for different things: characters that control something and are no line feed, the end of a document, lines of spaces. */
const ODD = /[^\n\P{Cc}]|[\u2028\u2029\ufeff\p{Cs}\p{Cn}]|^\.\.\.|^ +$/mu;

/** What words without quotes stand for that are no strings. */
const WORDS = new Map<string, boolean | null>([
  ...["~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["true", "True", "TRUE"].map((word) => [word, true] as const),
  ...["false", "False", "FALSE"].map((word) => [word, false] as const),
]);
/** A number as anybody writes it, and one in any way at all. */
const PLAIN_NUMBER = /^-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;
const NUMBER = /^[-+]?(?:0x[\da-f]+|0o[0-7]+|(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|\.(?:inf|nan))$/i;

/** A field's name may be longer by a little; how much is counted in more ways than one. */
const LONGEST_NAME = 1_000;
/** What may stand on a line before a field of a map that is no `{…}`. */
const BEFORE_FIELD = /^ *(?:- +)*$/;

/**
 * The text as a tree, where it is one map in plain YAML: one document, no directives, tags or anchors,
 * no doubled fields, none with `? ` before it, no values left out or of several lines. Undefined for
 * anything else, and for what is no YAML at all: {@link examineYaml} reads it, with the same tree
 * wherever there are two.
 */
export function plainYaml(text: string): Tree | undefined {
  if (ODD.test(text)) return undefined;
  try {
    const events = parseEvents(text, {});
    return new Reader(text, events).document();
  } catch (thrown) {
    if (thrown instanceof RangeError || (thrown as Error).name === "YAMLException" || thrown === NOT_PLAIN)
      return undefined;
    throw thrown;
  }
}

/** Thrown at the first thing that is not plain. */
const NOT_PLAIN = new Error("not plain YAML");

class Reader {
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 0;
  /** Where the latest value ended. */
  #end = 0;
  #values = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  document(): Tree {
    const document = this.#take();
    if (document.type !== EVENT_ID.DOCUMENT || document.directives.length > 0) throw NOT_PLAIN;
    if (this.#isFlow()) throw NOT_PLAIN;
    const root = this.#tree([], undefined, 0);
    this.#take();
    if (root.kind !== "map" || this.#next < this.#events.length) throw NOT_PLAIN;
    return root;
  }

  #tree(path: Path, keyAt: Span | undefined, depth: number): Tree {
    const event = this.#take();
    if (depth > DEEPEST || ++this.#values > MOST_VALUES) throw NOT_PLAIN;
    const known = keyAt && { keyAt };
    if (event.type === EVENT_ID.SCALAR) return { ...this.#scalar(event, path), ...known };
    if (event.type !== EVENT_ID.SEQUENCE && event.type !== EVENT_ID.MAPPING) throw NOT_PLAIN;
    requireBare(event);
    const { start } = event;
    if (event.type === EVENT_ID.SEQUENCE) {
      const items = this.#items(path, depth);
      return { kind: "list", path, at: { start, end: this.#end }, ...known, items };
    }
    const entries = this.#entries(path, depth, event.style);
    return { kind: "map", path, at: { start, end: this.#end }, ...known, entries };
  }

  #items(path: Path, depth: number): Tree[] {
    const items: Tree[] = [];
    while (!this.#ended()) items.push(this.#tree([...path, items.length], undefined, depth + 1));
    return items;
  }

  #entries(path: Path, depth: number, style: CollectionStyle): Map<string, Tree> {
    const entries = new Map<string, Tree>();
    while (!this.#ended()) {
      const key = this.#take();
      if (key.type !== EVENT_ID.SCALAR) throw NOT_PLAIN;
      const { value, at } = this.#scalar(key, path);
      this.#requirePlainField(at, style);
      const name = String(value);
      if (value === null || name === "__proto__" || entries.has(name)) throw NOT_PLAIN;
      entries.set(name, this.#tree([...path, name], at, depth + 1));
    }
    return entries;
  }

  /** It begins its line, or its list item, where it is in no `{…}`; and its colon follows at once. */
  #requirePlainField({ start, end }: Span, style: CollectionStyle): void {
    const before = () => this.#text.slice(this.#text.lastIndexOf("\n", start - 1) + 1, start);
    const begins = style === COLLECTION_STYLE.FLOW || BEFORE_FIELD.test(before());
    let colon = end;
    while (this.#text[colon] === " ") colon += 1;
    if (!begins || this.#text[colon] !== ":" || end - start > LONGEST_NAME) throw NOT_PLAIN;
  }

  #scalar(event: ScalarEvent, path: Path): Scalar {
    requireBare(event);
    const { valueStart, valueEnd, style } = event;
    const quotes = QUOTES.get(style);
    if (valueStart < 0 || quotes === undefined) throw NOT_PLAIN;
    const at = { start: valueStart - quotes, end: valueEnd + quotes };
    this.#end = at.end;
    if (this.#text.slice(at.start, at.end).includes("\n")) throw NOT_PLAIN;
    const text = getScalarValue(this.#text, event);
    return { kind: "scalar", path, at, value: quotes === 0 ? meant(text) : text };
  }

  #isFlow(): boolean {
    const event = this.#events[this.#next];
    return event?.type === EVENT_ID.MAPPING && event.style === COLLECTION_STYLE.FLOW;
  }

  #take(): Event {
    const event = this.#events[this.#next++];
    if (event === undefined) throw NOT_PLAIN;
    return event;
  }

  /** Whether the collection ends here; its end is taken. */
  #ended(): boolean {
    if (this.#events[this.#next]?.type !== EVENT_ID.POP) return false;
    this.#next += 1;
    return true;
  }
}

function requireBare({ anchorStart, tagStart }: ScalarEvent | SequenceEvent | MappingEvent): void {
  if (anchorStart >= 0 || tagStart >= 0) throw NOT_PLAIN;
}

/** What a word without quotes stands for. */
function meant(text: string): Scalar["value"] {
  const known = WORDS.get(text);
  if (known !== undefined) return known;
  if (PLAIN_NUMBER.test(text)) return Number(text);
  if (NUMBER.test(text)) throw NOT_PLAIN;
  return text;
}
