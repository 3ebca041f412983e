import { RotationError } from "../lib/errors.ts";

/** The path of a key. A hash that would vanish from it would turn a call about one key into one about all: `internal`. */
export function keyPath(hash: string): string {
  if (/^\.{0,2}$/.test(hash))
    throw new RotationError("internal", `${JSON.stringify(hash)} is not the hash of a key`);
  return `/keys/${encodeURIComponent(hash)}`;
}
