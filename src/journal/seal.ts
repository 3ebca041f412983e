import { hash } from "node:crypto";

/** How much of the SHA-256 stands before a sealed text, in hex digits. */
const DIGITS = 16;

/** JSON with a digest before it, by which a byte that has changed within it is noticed. */
export function seal(value: unknown): string {
  const text = JSON.stringify(value);
  return `${digest(text)} ${text}`;
}

/** The JSON text that was sealed; undefined when it is not what was sealed. */
export function unseal(sealed: string): string | undefined {
  const text = sealed.slice(DIGITS + 1);
  return sealed.slice(0, DIGITS) === digest(text) ? text : undefined;
}

function digest(text: string): string {
  return hash("sha256", text, "hex").slice(0, DIGITS);
}
