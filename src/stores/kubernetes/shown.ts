import type { Owner } from "../../lib/owner.ts";
import { Secret } from "../../lib/secret.ts";
import type { SecretRef, SecretView } from "../store.ts";
import { editToken } from "../version-token.ts";
import { type KeptVersion, type KeyMark, type KeyMarks, marksSchema } from "./companion.ts";
import { CONTENT, FENCES, INSTALLATION, JOURNAL, KEYS, VERSION } from "./names.ts";
import { reverters } from "./reverters.ts";
import {
  annotationOf,
  digestOf,
  entryValue,
  fingerprintOf,
  type KubeSecret,
  own,
  withAnnotations,
} from "./secret-object.ts";

/** What a Secret and its companion say together. */
export interface Shown {
  secret: KubeSecret | undefined;
  versions: readonly KeptVersion[];
  /** Id of what the Secret holds; undefined when it holds nothing. */
  current: string | undefined;
  /** Id of the version that a promotion made current last, be it still or no more. */
  promoted: string | undefined;
  base: string;
  fences: number;
  /** The keys that stand in the Secret now, by entry, as far as they are known. */
  keys: KeyMarks;
}

/**
 * The Secret alone says what is current: the version that its annotations name, as long as it holds
 * what it held when they were written; anything else is somebody's edit. So a promotion is one write.
 */
export function shownOf(secret: KubeSecret | undefined, versions: readonly KeptVersion[]): Shown {
  const promoted = annotationOf(secret, VERSION);
  const counted = annotationOf(secret, FENCES) ?? "";
  const fences = /^\d{1,9}$/.test(counted) ? Number(counted) : 0;
  const shown = { secret, versions, promoted, fences };
  if (secret === undefined) return { ...shown, current: undefined, base: "absent", keys: {} };

  const digest = digestOf(secret, promoted, fences);
  const edit = editToken(promoted ?? "", digest);
  if (Object.keys(secret.data ?? {}).length === 0) {
    const never = fences === 0 ? "absent" : `absent-${fences}`;
    return {
      ...shown,
      current: undefined,
      base: promoted === undefined ? never : `absent-${edit}`,
      keys: {},
    };
  }
  const isPromoted = promoted !== undefined && annotationOf(secret, CONTENT) === digest;
  const current = isPromoted ? promoted : edit;
  return { ...shown, current, base: current, keys: knownKeys(secret, versions) };
}

/** The Secret, named as the version that it now holds. */
export function stamped(secret: KubeSecret, version: string, fences: number, keys: KeyMarks): KubeSecret {
  return withAnnotations(secret, {
    [VERSION]: version,
    [CONTENT]: digestOf(secret, version, fences),
    [KEYS]: JSON.stringify(keys),
  });
}

export function viewOf(shown: Shown, ref: SecretRef, field: string): SecretView {
  const { secret, versions, current, keys } = shown;
  const hash = own(keys, field)?.hash;
  return {
    base: shown.base,
    current:
      current === undefined
        ? undefined
        : { version: current, value: entryValue(secret, field), ...(hash === undefined ? {} : { hash }) },
    staged: versions.flatMap((kept) => {
      const { id, staged, keys: marks } = kept;
      if (!staged || !isStaged(kept, shown)) return [];
      const { rotation, base } = staged;
      const { hash = "" } = own(marks, staged.field) ?? {};
      return [{ version: id, value: keptValue(shown, kept, field), rotation, hash, base }];
    }),
    retained: versions
      .filter((kept) => !isStaged(kept, shown) && kept.id !== current)
      .map(({ id, keys: marks }) => {
        const hash = own(marks, field)?.hash;
        return { version: id, ...(hash === undefined ? {} : { hash }) };
      }),
    owner: ownerOf(secret),
    warnings: secret === undefined ? [] : warnings(shown, ref, field),
  };
}

/** The value that an entry had in a version; another entry's than the one that was replaced is found by its fingerprint. */
export function keptValue({ secret, versions }: Shown, kept: KeptVersion, field: string): Secret | undefined {
  const value = own(kept.values, field);
  if (value !== undefined) return new Secret(value);
  const fingerprint = own(kept.keys, field)?.fingerprint;
  if (fingerprint === undefined) return undefined;
  if (fingerprintOf(secret, field) === fingerprint) return entryValue(secret, field);
  return versions
    .flatMap(({ values }) => own(values, field) ?? [])
    .map((text) => new Secret(text))
    .find((one) => one.fingerprint() === fingerprint);
}

/** Whether it has yet to become current: the one that was promoted last may stand in its stage still. */
export function isStaged({ id, staged }: KeptVersion, { promoted }: Shown): boolean {
  return staged !== undefined && id !== promoted;
}

export function ownerOf(secret: KubeSecret | undefined): Owner | undefined {
  const [installation, journal] = [annotationOf(secret, INSTALLATION), annotationOf(secret, JOURNAL)];
  if (installation === undefined && journal === undefined) return undefined;
  return { installation: installation ?? "", journal: journal ?? "" };
}

function warnings(shown: Shown, { secret: name }: SecretRef, field: string): string[] {
  const { secret, promoted, current } = shown;
  const edited =
    promoted === undefined || promoted === current
      ? []
      : [`Secret ${name} was changed by someone else since keyturn wrote it; the change is now current`];
  return [...edited, ...(secret === undefined ? [] : reverters(secret, field))];
}

/** Equal values are equal keys: what the Secret's annotation or any kept version says of a fingerprint holds. */
function knownKeys(secret: KubeSecret, versions: readonly KeptVersion[]): KeyMarks {
  const all = [marksIn(annotationOf(secret, KEYS)), ...versions.map(({ keys }) => keys)];
  const fields = Object.keys(secret.data ?? {}).flatMap((field): [string, KeyMark][] => {
    const marks = all.flatMap((keys) => own(keys, field) ?? []);
    const fingerprint = marks.length === 0 ? undefined : fingerprintOf(secret, field);
    const mark = marks.find((one) => one.fingerprint === fingerprint);
    return mark ? [[field, mark]] : [];
  });
  return Object.fromEntries(fields);
}

/** An annotation that somebody has garbled tells nothing: the keys are only not known then. */
function marksIn(text: string | undefined): KeyMarks {
  try {
    return marksSchema.safeParse(JSON.parse(text ?? "{}")).data ?? {};
  } catch {
    return {};
  }
}
