import type { KubeObject } from "../../kubernetes/api.ts";
import { fingerprint } from "../../lib/secret.ts";
import { at, listAt, secondAt, textsAt } from "./fields.ts";

/** What carries a key in a Secret. */
export interface Carried {
  /** Names of the entries whose value is the key. */
  entries: string[];
  /**
   * The second in which the API server last took a change of them, epoch milliseconds: they have
   * had this value since its end at the latest. Undefined when the object does not tell.
   */
  since: number | undefined;
}

/** Whether a Secret holds the key of that fingerprint: in the entry named, or in any. */
export function carried(secret: KubeObject, wanted: string, entry?: string): Carried | undefined {
  const entries = entriesWith(secret, [wanted]).filter((name) => entry === undefined || name === entry);
  return entries.length === 0 ? undefined : { entries, since: changedAt(secret, entries) };
}

/** The entries whose value is one of the keys of these fingerprints. */
export function entriesWith(secret: KubeObject, fingerprints: readonly string[]): string[] {
  return textsAt(secret, "data")
    .filter(([, value]) => fingerprints.includes(fingerprint(Buffer.from(value, "base64").toString("utf8"))))
    .map(([name]) => name);
}

/**
 * By metadata.managedFields: whoever owns an entry has its time set at each change of a value of
 * his, of others too, so it is never too early. Where nobody owns the entries, any change counts.
 */
function changedAt(secret: KubeObject, entries: readonly string[]): number | undefined {
  const managers = listAt(secret, "metadata", "managedFields");
  const owners = managers.filter((manager) =>
    entries.some((name) =>
      ["f:data", "f:stringData"].some((part) => at(manager, "fieldsV1", part, `f:${name}`) !== undefined),
    ),
  );
  const times = (owners.length > 0 ? owners : managers).map((manager) => secondAt(manager, "time"));
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 || known.length < times.length ? undefined : Math.max(...known);
}
