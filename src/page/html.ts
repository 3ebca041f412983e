import { redact } from "../lib/redact.ts";

/** Text that is HTML already. Only {@link html} and {@link trusted} make it. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Html | string | number | false | undefined | readonly Content[];

/**
 * A template whose values are text: what looks like a credential is taken out, hashes are shortened,
 * what would change how the rest reads is shown as a code, length is bounded, and markup is escaped. Values that are Html
 * stand as they are; false and undefined leave nothing. Attribute values are to stand in double quotes.
 */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return new Html(parts.map((part, index) => part + rendered(values[index])).join(""));
}

/** A constant of ours as HTML. Never for anything that comes from outside. */
export function trusted(text: string): Html {
  return new Html(text);
}

function rendered(value: Content): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(rendered).join("");
  return escaped(plain(String(value)));
}

const LONGEST = 800;

/** A text of somebody else's, fit to be read. */
export function plain(text: string): string {
  const safe = redact(text);
  const cut = safe.length <= LONGEST ? safe : `${safe.slice(0, LONGEST - 1)}…`;
  return cut.toWellFormed().replace(HASHES, "$1…").replace(SPACES, " ").replace(UNSEEN, code);
}

/** A hash or fingerprint is known by its first digits. */
const HASHES = /\b([0-9a-f]{12})[0-9a-f]{20,}\b/g;

const SPACES = /[\t\n\r\u2028\u2029]+/g;
/** Control characters, and those that turn the direction of the text, join or hide. */
const UNSEEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\0-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

function code(character: string): string {
  return `⟨${character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}⟩`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/** A sentence whose parts in backticks are what a person types. Lines break between its words, not within `--options`. */
export function withCode(text: string): Html {
  const parts = plain(text).split("`");
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${words(part)}</code>` : part))}`;
}

function words(text: string): Content {
  return text.split(" ").map((word, index) => html`${index > 0 && " "}<span>${word}</span>`);
}
