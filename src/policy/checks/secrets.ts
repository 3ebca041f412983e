import type { Findings } from "../findings.ts";
import { formatPath, type Path } from "../tree.ts";
import type { PolicyView } from "../view.ts";

interface Place {
  path: Path;
  secret: string;
  field: string | undefined;
  /** The file that consumers read, for a file store. */
  file: string | undefined;
}

/** No two keys write the same place, and file names do not get in each other's way. */
export function checkSecrets(view: PolicyView, findings: Findings): void {
  const places = new Map<string, Places>();
  for (const { path: keyPath, policy } of view.keys) {
    if (!policy.store) continue;
    const { use, secret, field } = policy.store;
    const path = [...keyPath, "store", "secret"];
    const isFile = view.stores.get(use)?.type === "file";
    if (isFile && !isFileName(secret)) {
      findings.fault(
        view.tree,
        path,
        `found ${JSON.stringify(secret)}; accepted in a file store: letters, digits, ".", "_" and "-", in parts joined by "/", no part beginning with "." or ending in ".json"`,
      );
      continue;
    }
    const place = { path, secret, field, file: isFile ? consumerFile(secret, field) : undefined };
    const store = places.get(use) ?? new Places();
    places.set(use, store);
    const clash = store.collision(place);
    if (clash) findings.fault(view.tree, path, `${clash.why} ${formatPath(clash.other.path.slice(0, 2))}`);
    store.add(place);
  }
}

/** The places of one store so far, found by what they could get in the way of. */
class Places {
  /** Of each secret the first place, the first that is the whole of it, and the first of each field. */
  readonly #bySecret = new Map<string, { first: Place; whole?: Place; fields: Map<string, Place> }>();
  readonly #byFile = new Map<string, Place>();
  /** By directory, the first place whose secret is somewhere in it. */
  readonly #byFolder = new Map<string, Place>();
  readonly #order = new Map<Place, number>();

  add(place: Place): void {
    const { secret, field, file } = place;
    this.#order.set(place, this.#order.size);
    const same = this.#bySecret.get(secret) ?? { first: place, fields: new Map<string, Place>() };
    this.#bySecret.set(secret, same);
    if (field === undefined) same.whole ??= place;
    else if (!same.fields.has(field)) same.fields.set(field, place);
    if (file === undefined) return;
    if (!this.#byFile.has(file)) this.#byFile.set(file, place);
    for (const folder of foldersOf(secret))
      if (!this.#byFolder.has(folder)) this.#byFolder.set(folder, place);
  }

  /** The earliest place that gets in the way of this one, and how. */
  collision(place: Place): { other: Place; why: string } | undefined {
    const { secret, field, file } = place;
    const same = this.#bySecret.get(secret);
    const inFile = file === undefined ? [] : [this.#byFolder.get(file), ...this.#filesAround(secret)];
    const others = [field === undefined ? same?.first : same?.whole, ...inFile];
    if (field !== undefined) others.push(same?.fields.get(field));
    const other = others
      .filter((one) => one !== undefined)
      .sort((a, b) => (this.#order.get(a) ?? 0) - (this.#order.get(b) ?? 0))[0];
    return other && { other, why: why(place, other) };
  }

  #filesAround(secret: string): (Place | undefined)[] {
    return foldersOf(secret).map((folder) => this.#byFile.get(folder));
  }
}

/** `a` and `a/b`, for `a/b/c`. */
function foldersOf(secret: string): string[] {
  const parts = secret.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function why(place: Place, other: Place): string {
  const name = JSON.stringify(place.secret);
  if (place.secret !== other.secret)
    return `the secret ${name} would be both a file and a directory, because of`;
  if (place.field === undefined && other.field === undefined)
    return `the secret ${name} is already written by`;
  if (place.field === undefined || other.field === undefined)
    return `one key is the whole secret ${name} and another a field of it; it is already written by`;
  return `the field ${JSON.stringify(place.field)} of the secret ${name} is already written by`;
}

/** A secret with fields is one JSON file for all of them. */
function consumerFile(secret: string, field: string | undefined): string {
  return field === undefined ? secret : `${secret}.json`;
}

function isFileName(secret: string): boolean {
  return (
    secret.length <= 200 &&
    secret.split("/").every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part) && !/\.json$/i.test(part))
  );
}
