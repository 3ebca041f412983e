import { RotationError } from "../lib/errors.ts";
import { type Owner, sameOwner } from "../lib/owner.ts";
import { merged, secretIn } from "./content.ts";
import { baseOf, emptyRecord, type SecretRecord, type VersionRecord, versionsOf } from "./record.ts";
import type { SecretRef, SecretView, StagedVersion, StageRequest, StoredVersion } from "./store.ts";
import { versionToken } from "./version-token.ts";

/** The store's contract as functions from record to record; what changes nothing returns the record it was given. */

export type Found = SecretRecord | undefined;

export function viewOf(found: Found, ref: SecretRef, warnings: string[]): SecretView {
  return {
    base: baseOf(found),
    current: found?.current && storedVersion(found.current, ref),
    staged: (found?.staged ?? []).map((version) => stagedVersion(version, ref)),
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
  if (record.owner && !options.takeOver) {
    const theirs = record.owner;
    const who =
      theirs.installation === owner.installation
        ? `another journal of installation ${theirs.installation}`
        : `installation ${theirs.installation}`;
    throw new RotationError("conflict", `secret ${ref.secret} is kept by ${who}`, {
      hint: "let only one installation rotate it; if the other is gone, take it over",
    });
  }
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
  if (value.reveal() === "") throw new RotationError("rejected", `an empty value for secret ${ref.secret}`);
  const id = versionToken(rotation, hash, base);

  const before = versionsOf(found).find((version) => version.id === id);
  if (before) {
    if (secretIn(before.content, ref)?.equals(value))
      return { record: found, staged: stagedVersion(before, ref) };
    throw new RotationError("conflict", `version ${id} of secret ${ref.secret} is there with another value`, {
      hint: "the same rotation, hash and base must come with the same value",
    });
  }
  if (baseOf(found) !== base) throw movedOn(ref, base, found);

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
    if (found?.retained.some(({ id }) => id === version)) {
      throw new RotationError("conflict", `version ${version} of secret ${ref.secret} was current before`, {
        hint: "a version is current at most once: stage its value again",
      });
    }
    throw new RotationError("absent", `secret ${ref.secret} has no staged version ${version}`, {
      hint: "stage it again",
    });
  }
  if (baseOf(found) !== base || next.base !== base) throw movedOn(ref, base, found);
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
    if (record.current.id !== base) throw movedOn(ref, base, record);
    throw new RotationError(
      "rejected",
      `secret ${ref.secret} has a current version, so it cannot be fenced`,
      {
        hint: "write its value as a new version instead",
      },
    );
  }
  return baseOf(record) === base ? { ...record, fences: record.fences + 1 } : record;
}

export function dropped(found: SecretRecord, ref: SecretRef, version: string): SecretRecord {
  if (found.current?.id === version) {
    throw new RotationError("conflict", `version ${version} of secret ${ref.secret} is current`, {
      hint: "only a version that is not current can be dropped",
    });
  }
  if (!versionsOf(found).some(({ id }) => id === version)) return found;
  const rest = (versions: readonly VersionRecord[]) => versions.filter(({ id }) => id !== version);
  return { ...found, staged: rest(found.staged), retained: rest(found.retained) };
}

/** Throws `unusable` when the secret is a plain value and `ref` names a field, or the reverse. */
export function assertShape(found: Found, ref: SecretRef): void {
  const content = found && versionsOf(found)[0]?.content;
  if (content === undefined || (typeof content === "string") === (ref.field === undefined)) return;
  throw wrongShape(ref);
}

export function wrongShape(ref: SecretRef): RotationError {
  return ref.field === undefined
    ? new RotationError("unusable", `secret ${ref.secret} is a JSON object, and no field is named`, {
        hint: "name the field, or another secret",
      })
    : new RotationError(
        "unusable",
        `secret ${ref.secret} is a plain value, so it has no field ${ref.field}`,
        {
          hint: "leave out the field, or name another secret",
        },
      );
}

function storedVersion(version: VersionRecord, ref: SecretRef): StoredVersion {
  const hash = version.hashes[ref.field ?? ""];
  return {
    version: version.id,
    value: secretIn(version.content, ref),
    ...(hash === undefined ? {} : { hash }),
  };
}

function stagedVersion(version: VersionRecord, ref: SecretRef): StagedVersion {
  const { rotation = "", hash = "" } = version.staged ?? {};
  return { version: version.id, value: secretIn(version.content, ref), rotation, hash, base: version.base };
}

function absentSecret(ref: SecretRef): RotationError {
  return new RotationError("absent", `secret ${ref.secret} is not there`, {
    hint: "check its name; to have it made, set create: true on the key's store",
  });
}

function movedOn(ref: SecretRef, base: string, found: SecretRecord): RotationError {
  return new RotationError(
    "conflict",
    `secret ${ref.secret} has moved on: expected ${base}, found ${baseOf(found)}`,
    { hint: "look at it again" },
  );
}
