import { stripVTControlCharacters, styleText } from "node:util";

export type Format = Parameters<typeof styleText>[0];

/** Colours a text, or leaves it as it is where colour is not wanted. */
export type Style = (format: Format, text: string) => string;

export function styler(color: boolean): Style {
  return (format, text) => (color ? styleText(format, text, { validateStream: false }) : text);
}

/** Whether colour is wanted on a stream: a terminal that has it, NO_COLOR not set, not `--no-color`. */
export function wantsColor(stream: NodeJS.WriteStream, asked: boolean): boolean {
  return asked && stream.isTTY === true && stream.hasColors();
}

/** Columns a text takes on a terminal, colour codes left out. */
export function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** A hash as people are shown it: its first 12 digits. */
export function shortHash(hash: string): string {
  return hash.length > 12 ? `${hash.slice(0, 12)}…` : hash;
}
