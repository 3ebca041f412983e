import { type Owner, sameOwner } from "../lib/owner.ts";
import { isObject, merged, sameField, secretIn } from "./content.ts";
import { baseOf, emptyRecord, type SecretRecord, type VersionRecord, versionsOf } from "./record.ts";
import {
  absentSecret,
  anotherValue,
  currentBefore,
  emptyValue,
  isCurrent,
  movedOn,
  notFenceable,
  notStaged,
  rivalOwner,
  wrongShape,
} from "./refusals.ts";
import type { SecretRef, SecretView, StagedVersion, StageRequest, StoredVersion } from "./store.ts";
import { versionToken } from "./version-token.ts";

/** The store's contract as functions from record to record; what changes nothing returns the record it was given. */

export type Found = SecretRecord | undefined;

export function viewOf(found: Found, ref: SecretRef, warnings: string[]): SecretView {
  return {
    base: baseOf(found),
    current: found?.current && storedVersion(found.current, ref),
    staged: (found?.staged ?? []).map((version) => stagedVersion(version, ref)),
    retained: (found?.retained ?? []).map((version) => retainedVersion(version, ref)),
    owner: found?.owner,
    warnings,
  };
}

export function readVersion(found: Found, ref: SecretRef, version: string) {
  const kept = found && versionsOf(found).find(({ id }) => id === version);
  return kept && secretIn(kept.content, ref);
}

export function claimed(
  found: Found,
  ref: SecretRef,
  owner: Owner,
  options: { create: boolean; takeOver?: boolean },
): SecretRecord {
  if (!found && !options.create) throw absentSecret(ref);
  const record = found ?? emptyRecord(ref.secret);
  if (record.owner && sameOwner(record.owner, owner)) return record;
  if (record.owner && !options.takeOver) throw rivalOwner(ref, record.owner, owner);
  return { ...record, owner: { installation: owner.installation, journal: owner.journal } };
}

export function stage(
  found: Found,
  ref: SecretRef,
  request: StageRequest,
  now: number,
): { record: SecretRecord; staged: StagedVersion } {
  if (!found) throw absentSecret(ref);
  const { rotation, hash, value, base } = request;
  if (value.reveal() === "") throw emptyValue(ref);
  const id = versionToken(rotation, hash, base);

  const before = versionsOf(found).find((version) => version.id === id);
  if (before) {
    if (secretIn(before.content, ref)?.equals(value))
      return { record: found, staged: stagedVersion(before, ref) };
    throw anotherValue(ref, id);
  }
  if (baseOf(found) !== base) throw movedOn(ref, base, baseOf(found));

  const version: VersionRecord = {
    id,
    createdAt: now,
    base,
    hashes: { ...found.current?.hashes, [ref.field ?? ""]: hash },
    content: merged(found.current?.content, ref, value),
    staged: { rotation, hash },
  };
  const others = found.staged.filter(({ staged }) => staged?.rotation !== rotation || staged.hash !== hash);
  return { record: { ...found, staged: [...others, version] }, staged: stagedVersion(version, ref) };
}

export function promoted(found: Found, ref: SecretRef, version: string, base: string): SecretRecord {
  if (found?.current?.id === version) return found;
  const next = found?.staged.find(({ id }) => id === version);
  if (!found || !next) {
    throw found?.retained.some(({ id }) => id === version)
      ? currentBefore(ref, version)
      : notStaged(ref, version);
  }
  if (baseOf(found) !== base || next.base !== base) throw movedOn(ref, base, baseOf(found));
  return {
    ...found,
    current: next,
    staged: found.staged.filter(({ id }) => id !== version),
    retained: [...found.retained, ...(found.current ? [found.current] : [])],
  };
}

export function fenced(found: Found, ref: SecretRef, base: string): SecretRecord {
  const record = found ?? emptyRecord(ref.secret);
  if (record.current) {
    throw record.current.id === base ? notFenceable(ref) : movedOn(ref, base, record.current.id);
  }
  return baseOf(record) === base ? { ...record, fences: record.fences + 1 } : record;
}

/**
 * Without that version. A person's edit copies whatever it does not change, so other retained
 * versions may hold the same value: they lose it too, unless it is in use or staged.
 */
export function dropped(found: SecretRecord, ref: SecretRef, version: string): SecretRecord {
  if (found.current?.id === version) throw isCurrent(ref, version);
  const gone = versionsOf(found).find(({ id }) => id === version);
  if (!gone) return found;
  const rest = (versions: readonly VersionRecord[]) => versions.filter(({ id }) => id !== version);
  const left = { ...found, staged: rest(found.staged), retained: rest(found.retained) };
  const name = ref.field ?? "";
  const inUse = [...(left.current ? [left.current] : []), ...left.staged];
  if (inUse.some(({ content }) => sameField(content, gone.content, name))) return left;
  return {
    ...left,
    retained: left.retained.flatMap((one) =>
      sameField(one.content, gone.content, name) ? withoutField(one, name) : [one],
    ),
  };
}

/** The version with no value in that field; none where it held nothing else. Null, because a person who removes a field leaves none. */
function withoutField(version: VersionRecord, name: string): VersionRecord[] {
  if (!isObject(version.content)) return [];
  const content = { ...version.content, [name]: null };
  if (Object.values(content).every((value) => value === null)) return [];
  const { [name]: _, ...hashes } = version.hashes;
  return [{ ...version, content, hashes }];
}

/** Throws `unusable` when the secret is a plain value and `ref` names a field, or the reverse. */
export function assertShape(found: Found, ref: SecretRef): void {
  const content = found && versionsOf(found)[0]?.content;
  if (content === undefined || (typeof content === "string") === (ref.field === undefined)) return;
  throw wrongShape(ref);
}

function storedVersion(version: VersionRecord, ref: SecretRef): StoredVersion {
  const hash = version.hashes[ref.field ?? ""];
  return {
    version: version.id,
    value: secretIn(version.content, ref),
    ...(hash === undefined ? {} : { hash }),
  };
}

function retainedVersion({ id, hashes }: VersionRecord, ref: SecretRef): { version: string; hash?: string } {
  const hash = hashes[ref.field ?? ""];
  return { version: id, ...(hash === undefined ? {} : { hash }) };
}

function stagedVersion(version: VersionRecord, ref: SecretRef): StagedVersion {
  const { rotation = "", hash = "" } = version.staged ?? {};
  return { version: version.id, value: secretIn(version.content, ref), rotation, hash, base: version.base };
}
