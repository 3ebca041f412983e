import { type Content, fieldNames, renderContent, sameContent, sameField } from "./content.ts";
import { baseOf, emptyRecord, type SecretRecord, type VersionRecord, versionsOf } from "./record.ts";
import { editToken } from "./version-token.ts";

export interface Reconciled {
  /** The record with a person's edit taken in; undefined when there is no secret. */
  record: SecretRecord | undefined;
  /** Whether what consumers read must be written again from `record.current`. */
  render: boolean;
  /**
   * Whether the edit must be saved before anybody acts upon it: the next edit may look like the
   * version that a promotion has replaced, and only this one tells that the promotion was complete.
   */
  keep: boolean;
  warnings: string[];
}

/**
 * Sets the record beside what consumers read (R16). What equals the version that a promotion has
 * replaced is a promotion that died half-way; anything else that differs is a person's edit and
 * becomes current, with the hashes of all values that are known.
 */
export function reconcile(
  secret: string,
  record: SecretRecord | undefined,
  consumed: Content | undefined,
  now: number,
): Reconciled {
  const current = record?.current;
  if (consumed === undefined) return { record, render: current !== undefined, keep: false, warnings: [] };
  if (current && sameContent(consumed, current.content))
    return { record, render: false, keep: false, warnings: [] };
  if (current && record && isReplaced(record, current, consumed))
    return { record, render: true, keep: false, warnings: [] };

  const base = baseOf(record);
  const edit: VersionRecord = {
    id: editToken(base, renderContent(consumed)),
    createdAt: now,
    base,
    hashes: knownHashes(record ? versionsOf(record) : [], consumed),
    content: consumed,
  };
  const before = record ?? emptyRecord(secret);
  return {
    record: { ...before, current: edit, retained: [...before.retained, ...(current ? [current] : [])] },
    render: false,
    keep: current?.staged !== undefined,
    warnings: record
      ? [`secret ${secret} was edited by hand; the edit is now current, as version ${edit.id}`]
      : [],
  };
}

/** Only a promotion leaves the version it replaced in what consumers read; an edit began there. */
function isReplaced(record: SecretRecord, current: VersionRecord, consumed: Content): boolean {
  if (!current.staged) return false;
  const replaced = record.retained.find((version) => version.id === current.base);
  return replaced !== undefined && sameContent(consumed, replaced.content);
}

/** Equal values have equal hashes: the first version that holds the same value tells. */
function knownHashes(versions: readonly VersionRecord[], content: Content): Record<string, string> {
  const known = fieldNames(content).flatMap((name) => {
    const same = versions.find(
      (version) => version.hashes[name] && sameField(version.content, content, name),
    );
    return same?.hashes[name] ? [[name, same.hashes[name]] as const] : [];
  });
  return Object.fromEntries(known);
}
