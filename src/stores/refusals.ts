import { RotationError } from "../lib/errors.ts";
import type { Owner } from "../lib/owner.ts";
import type { SecretRef } from "./store.ts";

/** What every store says when it refuses, in the same words. */

export function absentSecret(ref: SecretRef): RotationError {
  return new RotationError("absent", `secret ${ref.secret} is not there`, {
    hint: "check its name; to have it made, set create: true on the key's store",
  });
}

export function rivalOwner(ref: SecretRef, theirs: Owner, ours: Owner): RotationError {
  const who =
    theirs.installation === ours.installation
      ? `another journal of installation ${theirs.installation}`
      : `installation ${theirs.installation}`;
  return new RotationError("conflict", `secret ${ref.secret} is kept by ${who}`, {
    hint: "let only one installation rotate it; if the other is gone, take it over",
  });
}

export function wrongShape(ref: SecretRef): RotationError {
  return ref.field === undefined
    ? new RotationError("unusable", `secret ${ref.secret} is a JSON object, and no field is named`, {
        hint: "name the field, or another secret",
      })
    : new RotationError(
        "unusable",
        `secret ${ref.secret} is a plain value, so it has no field ${ref.field}`,
        { hint: "leave out the field, or name another secret" },
      );
}

export function emptyValue(ref: SecretRef): RotationError {
  return new RotationError("rejected", `an empty value for secret ${ref.secret}`);
}

export function movedOn(ref: SecretRef, expected: string, found: string): RotationError {
  return new RotationError(
    "conflict",
    `secret ${ref.secret} has moved on: expected ${expected}, found ${found}`,
    { hint: "look at it again" },
  );
}

export function anotherValue(ref: SecretRef, version: string): RotationError {
  return new RotationError(
    "conflict",
    `version ${version} of secret ${ref.secret} is there with another value`,
    { hint: "the same rotation, hash and base must come with the same value" },
  );
}

export function notStaged(ref: SecretRef, version: string): RotationError {
  return new RotationError("absent", `secret ${ref.secret} has no staged version ${version}`, {
    hint: "stage it again",
  });
}

export function currentBefore(ref: SecretRef, version: string): RotationError {
  return new RotationError("conflict", `version ${version} of secret ${ref.secret} was current before`, {
    hint: "a version is current at most once: stage its value again",
  });
}

export function notFenceable(ref: SecretRef): RotationError {
  return new RotationError("rejected", `secret ${ref.secret} has a current version, so it cannot be fenced`, {
    hint: "write its value as a new version instead",
  });
}

export function isCurrent(ref: SecretRef, version: string): RotationError {
  return new RotationError("conflict", `version ${version} of secret ${ref.secret} is current`, {
    hint: "only a version that is not current can be dropped",
  });
}
