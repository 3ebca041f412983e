import type { Findings } from "../findings.ts";
import { formatPath, type Path } from "../tree.ts";
import type { PolicyView } from "../view.ts";

interface Place {
  path: Path;
  use: string;
  secret: string;
  field: string | undefined;
  /** The file that consumers read, for a file store. */
  file: string | undefined;
}

/** No two keys write the same place, and file names do not get in each other's way. */
export function checkSecrets(view: PolicyView, findings: Findings): void {
  const places: Place[] = [];
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
    const place = { path, use, secret, field, file: isFile ? consumerFile(secret, field) : undefined };
    const clash = places.map((other) => ({ other, why: collision(place, other) })).find(({ why }) => why);
    if (clash) {
      findings.fault(view.tree, path, `${clash.why} ${formatPath(clash.other.path.slice(0, 2))}`);
    }
    places.push(place);
  }
}

function collision(place: Place, other: Place): string | undefined {
  if (place.use !== other.use) return undefined;
  const name = JSON.stringify(place.secret);
  if (place.secret === other.secret) {
    if (place.field === undefined && other.field === undefined)
      return `the secret ${name} is already written by`;
    if (place.field === undefined || other.field === undefined) {
      return `one key is the whole secret ${name} and another a field of it; it is already written by`;
    }
    return place.field === other.field
      ? `the field ${JSON.stringify(place.field)} of the secret ${name} is already written by`
      : undefined;
  }
  if (place.file === undefined || other.file === undefined) return undefined;
  return isInside(place.secret, other.file) || isInside(other.secret, place.file)
    ? `the secret ${name} would be both a file and a directory, because of`
    : undefined;
}

/** A secret with fields is one JSON file for all of them. */
function consumerFile(secret: string, field: string | undefined): string {
  return field === undefined ? secret : `${secret}.json`;
}

function isInside(secret: string, file: string): boolean {
  return secret.startsWith(`${file}/`);
}

function isFileName(secret: string): boolean {
  return (
    secret.length <= 200 &&
    secret.split("/").every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part) && !/\.json$/i.test(part))
  );
}
