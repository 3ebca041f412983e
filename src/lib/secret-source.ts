import { readFile } from "node:fs/promises";
import { RotationError } from "./errors.ts";
import { Secret } from "./secret.ts";

/** Where a secret is read from. Read again at each use, so that a mounted file may be replaced. */
export type SecretSource = { env: string } | { file: string };

export type ReadSecret = (source: SecretSource) => Promise<Secret>;

/**
 * Reads secrets from `env` and from files; surrounding white space is cut off. Throws RotationError
 * `unusable` when a variable is not set, a file cannot be read, or either is empty.
 */
export function secretReader(env: Readonly<Record<string, string | undefined>>): ReadSecret {
  return async (source) => {
    if ("env" in source) {
      const text = Object.hasOwn(env, source.env) ? env[source.env]?.trim() : undefined;
      if (text) return new Secret(text);
      throw new RotationError(
        "unusable",
        `environment variable ${source.env} is ${text === undefined ? "not set" : "empty"}`,
        {
          hint: `set ${source.env}, or name a file with { file: PATH }`,
        },
      );
    }
    const text = await readFile(source.file, "utf8").catch((cause: NodeJS.ErrnoException) => {
      throw new RotationError("unusable", `${source.file} cannot be read (${cause.code ?? cause.message})`, {
        hint: "check the path and that this user may read it",
        cause,
      });
    });
    if (text.trim()) return new Secret(text.trim());
    throw new RotationError("unusable", `${source.file} is empty`, { hint: "write the secret into it" });
  };
}
