import { createHash, timingSafeEqual } from "node:crypto";
import { inspect } from "node:util";

/**
 * A plaintext credential. It prints as `[secret]` wherever it ends up by mistake:
 * template strings, JSON, inspect, a logger. Only {@link Secret.reveal} gives the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The plaintext. Call it only where it goes into a store, an Authorization header or a hash. */
  reveal(): string {
    return this.#text;
  }

  /** `sha256:` and the lower-case hex SHA-256 of the plaintext. */
  fingerprint(): string {
    return fingerprint(this.#text);
  }

  equals(other: Secret): boolean {
    const [a, b] = [Buffer.from(this.#text), Buffer.from(other.#text)];
    return a.length === b.length && timingSafeEqual(a, b);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.toPrimitive](): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** `sha256:` and the lower-case hex SHA-256 of `key`: names a key without revealing it. */
export function fingerprint(key: string): string {
  return `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

/**
 * Whether `reported` names the same key as the full `expected` fingerprint. Consumers may leave
 * out `sha256:` and may shorten the hex to 16 digits or more.
 */
export function sameFingerprint(reported: string, expected: string): boolean {
  const hex = reported
    .trim()
    .toLowerCase()
    .replace(/^sha256:/, "");
  return /^[0-9a-f]{16,64}$/.test(hex) && expected.slice("sha256:".length).startsWith(hex);
}
