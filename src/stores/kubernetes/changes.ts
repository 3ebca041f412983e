import { Secret } from "../../lib/secret.ts";
import {
  absentSecret,
  anotherValue,
  currentBefore,
  emptyValue,
  isCurrent,
  movedOn,
  notStaged,
} from "../refusals.ts";
import type { SecretRef, StagedVersion, StageRequest } from "../store.ts";
import { versionToken } from "../version-token.ts";
import type { KeptVersion, KeyMarks } from "./companion.ts";
import { entryOf } from "./names.ts";
import type { Found, Objects } from "./objects.ts";
import { withoutApplied } from "./reverters.ts";
import { assertSize, entryValue, type KubeSecret, own, withValue } from "./secret-object.ts";
import { isStaged, keptValue, type Shown, shownOf, stamped } from "./shown.ts";

/** Puts the value into the companion: one write. Whether the Secret has room for it is asked now. */
export async function stage(
  objects: Objects,
  ref: SecretRef,
  { rotation, hash, value, base }: StageRequest,
): Promise<StagedVersion> {
  const field = entryOf(ref);
  if (value.reveal() === "") throw emptyValue(ref);
  const id = versionToken(rotation, hash, base);
  const staged = { version: id, value, rotation, hash, base };
  return objects.attempt(ref, async () => {
    const found = await objects.load(ref);
    if (!found.secret) throw absentSecret(ref);
    const there = found.versions.find((kept) => kept.id === id);
    if (found.current === id || there) {
      const before =
        found.current === id ? entryValue(found.secret, field) : there && keptValue(found, there, field);
      if (before?.equals(value)) return staged;
      throw anotherValue(ref, id);
    }
    if (found.base !== base) throw movedOn(ref, base, found.base);

    assertSize(withValue(found.secret, field, value));
    const version: KeptVersion = {
      id,
      values: { [field]: value.reveal() },
      keys: { ...found.keys, [field]: { hash, fingerprint: value.fingerprint() } },
      staged: { rotation, field, base },
    };
    // A restage takes the place of what the same rotation has staged upon another base.
    const others = settled(found).filter(
      (kept) =>
        kept.staged?.rotation !== rotation ||
        kept.staged.field !== field ||
        own(kept.keys, field)?.hash !== hash,
    );
    await objects.keep(ref, found, [...others, version]);
    return staged;
  });
}

/**
 * Three writes: the value that goes is kept in the companion, the Secret is amended over the
 * resourceVersion at which it was read, and the companion gives up what is current now. The second
 * alone decides; a death after it is tidied up after by the next look.
 */
export async function promote(
  objects: Objects,
  ref: SecretRef,
  version: string,
  base: string,
): Promise<void> {
  entryOf(ref);
  await objects.attempt(ref, async () => {
    const found = await objects.load(ref);
    if (found.current === version) {
      if (found.companion) await objects.keep(ref, found, settled(found));
      return;
    }
    const next = found.versions.find(({ id }) => id === version);
    if (!next) throw notStaged(ref, version);
    const { staged } = next;
    if (!staged || !isStaged(next, found)) throw currentBefore(ref, version);
    if (found.base !== base || staged.base !== base) throw movedOn(ref, base, found.base);
    if (!found.secret) throw absentSecret(ref);

    const written = promotedSecret(found.secret, found, next, staged.field);
    const versions = retaining(settled(found), found, staged.field);
    const companion = await objects.keep(ref, found, versions);
    const secret = await objects.amend(found.secret, written);
    const after = { ...shownOf(secret, versions), companion };
    await objects.keep(ref, after, settled(after)).catch(() => {});
  });
}

/** Takes a version out of the companion, and copies of its value in earlier versions with it, unless the value is in use. */
export async function drop(objects: Objects, ref: SecretRef, version: string): Promise<void> {
  const field = entryOf(ref);
  await objects.attempt(ref, async () => {
    const found = await objects.load(ref);
    if (found.current === version) throw isCurrent(ref, version);
    const gone = found.versions.find(({ id }) => id === version);
    if (!gone) return;
    const left = settled(found).filter(({ id }) => id !== version);
    await objects.keep(ref, found, withoutCopies(left, found, gone, field));
  });
}

/** The versions, as they are once the last promotion is wholly done: what is current is not kept beside it. */
export function settled(shown: Shown): readonly KeptVersion[] {
  return shown.versions.flatMap((kept) => {
    if (!kept.staged || isStaged(kept, shown)) return [kept];
    if (kept.id === shown.current) return [];
    // Somebody has written over it before it was tidied away.
    const { staged: _, ...earlier } = kept;
    return [earlier];
  });
}

function promotedSecret(
  secret: KubeSecret,
  { fences, keys }: Found,
  next: KeptVersion,
  field: string,
): KubeSecret {
  const mark = own(next.keys, field);
  const marks: KeyMarks = { ...keys, ...(mark ? { [field]: mark } : {}) };
  const value = new Secret(own(next.values, field) ?? "");
  return stamped(withValue(withoutApplied(secret, field), field, value), next.id, fences, marks);
}

/** With the value that is about to be replaced, and which keys stand beside it; where there is neither, there is nothing to go back to. */
function retaining(
  versions: readonly KeptVersion[],
  { secret, current, keys }: Found,
  field: string,
): readonly KeptVersion[] {
  const value = entryValue(secret, field);
  if (current === undefined || (value === undefined && Object.keys(keys).length === 0)) return versions;
  const before = versions.find(({ id }) => id === current);
  const kept: KeptVersion = {
    id: current,
    values: { ...before?.values, ...(value && { [field]: value.reveal() }) },
    keys: { ...before?.keys, ...keys },
  };
  return [...versions.filter(({ id }) => id !== current), kept];
}

function withoutCopies(
  versions: readonly KeptVersion[],
  found: Found,
  gone: KeptVersion,
  field: string,
): readonly KeptVersion[] {
  const value = own(gone.values, field);
  const used = versions.some((kept) => kept.staged && own(kept.values, field) === value);
  if (value === undefined || used || entryValue(found.secret, field)?.reveal() === value) return versions;
  return versions.flatMap((kept) => {
    if (own(kept.values, field) !== value) return [kept];
    const { [field]: _, ...values } = kept.values;
    return Object.keys(values).length === 0 ? [] : [{ ...kept, values }];
  });
}
