import { dirname, join, resolve, sep } from "node:path";
import { RotationError } from "../../lib/errors.ts";

/** What keyturn keeps for itself, below the store's own directory. */
const PRIVATE = ".keyturn";

export interface StorePaths {
  /** The store's directory. */
  root: string;
  /** For this user alone: records and lock. */
  private: string;
  records: string;
  lock: string;
  /** Directories that get a .gitignore: the private one, and a `.keyturn` that the store lies in. */
  ignored: string[];
}

export function storePaths(path: string): StorePaths {
  const root = resolve(path);
  const own = join(root, PRIVATE);
  const parts = root.split(sep);
  const around = parts.lastIndexOf(PRIVATE);
  return {
    root,
    private: own,
    records: join(own, "records"),
    lock: join(own, "lock.db"),
    ignored: [own, ...(around < 0 ? [] : [parts.slice(0, around + 1).join(sep)])],
  };
}

export interface SecretPaths {
  record: string;
  /** What consumers read when the secret is a plain value, and when it has fields. */
  plain: string;
  fields: string;
  /** The directories of these files, from the outermost in, without those of the store itself. */
  recordDirs: string[];
  consumerDirs: string[];
}

/** Where a secret's files are. Throws RotationError `unusable` for a name that could leave the store or clash in it. */
export function secretPaths(store: StorePaths, secret: string): SecretPaths {
  const segments = secret.split("/");
  const valid = (segment: string) =>
    /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment) && !/\.json$/i.test(segment);
  if (!segments.every(valid)) {
    throw new RotationError(
      "unusable",
      `${JSON.stringify(secret)} cannot be the name of a secret in a file store`,
      {
        hint: "use letters, digits, dots, hyphens and underscores, with / between directories; no part may begin with a dot or end with .json",
      },
    );
  }
  const consumer = join(store.root, ...segments);
  const record = join(store.records, ...segments);
  return {
    record: `${record}.json`,
    plain: consumer,
    fields: `${consumer}.json`,
    recordDirs: between(store.records, dirname(record)),
    consumerDirs: between(store.root, dirname(consumer)),
  };
}

function between(outer: string, inner: string): string[] {
  return inner === outer ? [] : [...between(outer, dirname(inner)), inner];
}
