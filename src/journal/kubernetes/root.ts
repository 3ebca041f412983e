import { RotationError } from "../../lib/errors.ts";
import { movedAway } from "../place.ts";
import { seal, unseal } from "../seal.ts";
import type { ConfigMap, Objects } from "./objects.ts";

/** What the ConfigMap that bears the journal's name holds: what all targets share. */
export interface Root {
  /** The journal's own id, 32 hexadecimal digits. */
  id: string;
  /** Epoch milliseconds. */
  created: number;
  /** Every target ever written. */
  targets: Set<string>;
  /** By hash, the target that claims it: claimed here before the document that holds it is written. */
  hashes: Map<string, string>;
  /** The first number that no target has reserved for its events. */
  nextSeq: number;
  /** Grows with every write: the API server takes a write of what is there already for none. */
  writes: number;
  /** `rotate journal export` has taken everything away. */
  moved?: true;
  /** `rotate journal import` has begun and not ended; the digest of what it brings. */
  importing?: string;
}

export interface RootRead {
  /** Undefined where no journal was begun. */
  root: Root | undefined;
  object: ConfigMap | undefined;
}

const ENTRY = "journal";
const FORMAT = 1;
/** A ConfigMap holds 1 MiB. */
const LARGEST_BYTES = 960 * 1024;

export function newRoot(id: string, created: number): Root {
  return { id, created, targets: new Set(), hashes: new Map(), nextSeq: 1, writes: 0 };
}

/** Throws RotationError `unusable` for what is no journal or was edited, `newer-version`. */
export async function readRoot(objects: Objects): Promise<RootRead> {
  const { name } = objects.config;
  const object = await objects.configMap(name);
  const sealed = object?.data?.[ENTRY];
  if (sealed !== undefined) return { root: parseRoot(objects, sealed, object?.data?.format), object };
  if (Object.keys({ ...object?.data, ...object?.binaryData }).length > 0) {
    throw new RotationError(
      "unusable",
      `the ${objects.said("ConfigMap", name)} is there and is no journal of keyturn`,
      { hint: "choose another `name` for the journal in the policy" },
    );
  }
  return { root: undefined, object };
}

/** Writes a root over what was read. Throws Overtaken, or `full`. */
export async function writeRoot(objects: Objects, kept: ConfigMap | undefined, root: Root): Promise<void> {
  const sealed = sealedRoot(objects, root);
  await objects.putConfigMap(objects.config.name, kept, {
    data: { ...kept?.data, format: String(FORMAT), [ENTRY]: sealed },
  });
}

/** Throws RotationError `full` when a ConfigMap has no room for it. */
export function sealedRoot(objects: Objects, root: Root): string {
  const { targets, hashes, ...rest } = root;
  const content = {
    ...rest,
    writes: root.writes + 1,
    targets: [...targets].sort(),
    hashes: [...hashes].sort(([a], [b]) => (a < b ? -1 : 1)),
  };
  const sealed = seal(content);
  if (Buffer.byteLength(sealed) <= LARGEST_BYTES) return sealed;
  throw new RotationError(
    "full",
    `the ${objects.said("ConfigMap", objects.config.name)} can hold no more keys`,
    {
      hint: "nothing was lost; keep the journal in SQLite: rotate journal export, rotate journal import",
    },
  );
}

/** The journal's root as long as it is the one that was opened and is in use. Throws `unusable` otherwise. */
export async function requireRoot(objects: Objects, id: string): Promise<{ root: Root; object: ConfigMap }> {
  const { root, object } = await readRoot(objects);
  const name = objects.said("ConfigMap", objects.config.name);
  if (root === undefined || object === undefined) {
    throw new RotationError("unusable", `the journal, ${name}, was deleted while it was open`, {
      hint: "restore it from a copy; without one, delete its other ConfigMaps and start anew with --take-over",
    });
  }
  if (root.id !== id) {
    throw new RotationError("unusable", `the journal, ${name}, was replaced by another while it was open`, {
      hint: "start keyturn again, so that it works with the journal that is there now",
    });
  }
  refuseUnused(objects, root);
  return { root, object };
}

/** Throws RotationError `unusable` for a journal that was moved away, or is not here yet. */
export function refuseUnused(objects: Objects, root: Root): void {
  const name = objects.said("ConfigMap", objects.config.name);
  if (root.importing !== undefined) {
    throw new RotationError("unusable", `an import into the journal, ${name}, has not ended`, {
      hint: "run the same rotate journal import again",
    });
  }
  if (root.moved) throw movedAway(objects.journalName());
}

function parseRoot(objects: Objects, sealed: string, format: string | undefined): Root {
  const what = `the journal, ${objects.said("ConfigMap", objects.config.name)},`;
  if (Number(format) > FORMAT) {
    throw new RotationError("newer-version", `${what} has format ${format}; this keyturn knows ${FORMAT}`, {
      hint: "run the newer keyturn that wrote it",
    });
  }
  const text = unseal(sealed);
  if (text === undefined) throw edited(what, "restore the ConfigMap from a copy");
  const { targets, hashes, ...rest } = JSON.parse(text) as Omit<Root, "targets" | "hashes"> & {
    targets: string[];
    hashes: [string, string][];
  };
  return { ...rest, targets: new Set(targets), hashes: new Map(hashes) };
}

export function edited(what: string, remedy: string): RotationError {
  return new RotationError("unusable", `${what} was edited or is damaged`, {
    hint: `${remedy}; without one, delete every ConfigMap of the journal and start anew with --take-over`,
  });
}
