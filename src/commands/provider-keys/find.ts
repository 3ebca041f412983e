import { RotationError } from "../../lib/errors.ts";
import type { IssuedKey } from "../../providers/provider.ts";
import { plain } from "../render/issued-keys.ts";
import type { Chosen } from "./provider.ts";

/** The shortest part of a hash that names a key. */
const SHORTEST = 8;
/** From here on it is taken for a whole hash, and asked for before the list is walked. */
const WHOLE = 32;
const MOST_SHOWN = 5;

/**
 * The key of a hash, or of the beginning of one; the ellipsis of a shortened hash may be left on.
 * Throws RotationError `usage` when it is too short, `absent` when there is none, `rejected` when
 * several begin so, and what the provider throws.
 */
export async function findKey(
  { name, client, workspaces }: Chosen,
  given: string,
  moreWorkspaces: readonly string[] = [],
): Promise<IssuedKey> {
  const hash = given.trim().replace(/(…|\.\.\.)$/, "");
  if (hash.length < SHORTEST) {
    throw new RotationError("usage", `${JSON.stringify(given)} is too short to name a key`, {
      hint: `give its hash, or at least the first ${SHORTEST} characters of it`,
    });
  }
  const whole = hash.length >= WHOLE ? await client.get(hash) : undefined;
  if (whole) return whole;
  const keys = await client.list([...workspaces, ...moreWorkspaces]);
  const found = keys.filter((key) => key.hash.startsWith(hash));
  const [first, ...others] = found;
  if (!first) {
    throw new RotationError("absent", `${name} has no key whose hash is or begins with ${hash}`, {
      hint: `rotate keys list --include-disabled shows the hashes (with --json in full); one in another workspace needs --workspace`,
    });
  }
  if (others.length > 0) {
    const shown = found
      .slice(0, MOST_SHOWN)
      .map((key) => (key.name ? `${key.hash} (${plain(key.name)})` : key.hash));
    throw new RotationError(
      "rejected",
      `${found.length} keys at ${name} have a hash that begins with ${hash}`,
      {
        hint: `give more of it: ${shown.join(", ")}${found.length > MOST_SHOWN ? " …" : ""}`,
      },
    );
  }
  return first;
}
