import type { TargetDocument } from "../../journal/document.ts";
import { type Check, failed, noted } from "../../lib/check.ts";
import { RotationError } from "../../lib/errors.ts";
import { type Owner, sameOwner } from "../../lib/owner.ts";
import type { KeyPolicy, StorePolicy } from "../../policy/schema.ts";
import { shortHash } from "../../rotation/names.ts";
import { describeUndecided } from "../../rotation/undecided.ts";
import type { Examination, Store } from "../../stores/store.ts";

/** A key's place in its store, as checks name it. */
export function secretName({ store }: KeyPolicy): string {
  return store.field === undefined ? store.secret : `${store.secret} (${store.field})`;
}

/** What the store can tell of a key's secret; without a `check` of its own, whether it can be read. */
export async function examine(store: Store, { store: ref }: KeyPolicy): Promise<Examination> {
  if (store.check) return store.check(ref);
  try {
    const view = await store.observe(ref);
    return { found: { exists: view.current !== undefined, view }, checks: [] };
  } catch (thrown) {
    return { checks: [failed("secret", thrown)] };
  }
}

/** Whose secret it is, and what is current in it. */
export function judgeSecret(
  key: KeyPolicy,
  { type }: StorePolicy,
  { found }: Examination,
  owner: Owner,
  document: TargetDocument | undefined,
): Check[] {
  if (found === undefined) return [];
  const { exists, view } = found;
  const name = secretName(key);
  const create = key.store.create ?? type === "file";
  return [
    ...(exists ? [judgeOwner(key, view.owner, owner)] : []),
    ...(view.foreign === undefined
      ? []
      : [failed("rotation", new RotationError("conflict", `${name}: ${view.foreign}`))]),
    ...view.warnings.map((warning) => noted("secret", warning)),
    judgeCurrent(key, { exists, create, view, document }),
    ...judgeLeft(key, document),
  ];
}

function judgeLeft({ name, store }: KeyPolicy, document: TargetDocument | undefined): Check[] {
  const keys = document?.keys[store.field ?? ""]?.leftBehind?.keys ?? [];
  return keys.length === 0 ? [] : [noted("left behind", `${name}: ${describeUndecided(keys)}`)];
}

function judgeOwner(key: KeyPolicy, theirs: Owner | undefined, ours: Owner): Check {
  const { secret } = key.store;
  if (theirs === undefined)
    return noted("owner", `${secret} bears no stamp yet; the first pass puts ours on it`);
  if (sameOwner(theirs, ours)) return { check: "owner", result: "passed", says: `${secret} bears our stamp` };
  return {
    check: "owner",
    result: "failed",
    says: `${secret} is kept by installation "${theirs.installation}" (journal ${theirs.journal})`,
    hint: `if that one is gone for good: rotate --now ${key.name} --take-over`,
  };
}

function judgeCurrent(
  key: KeyPolicy,
  at: {
    exists: boolean;
    create: boolean;
    view: NonNullable<Examination["found"]>["view"];
    document: TargetDocument | undefined;
  },
): Check {
  const name = secretName(key);
  const { current } = at.view;
  const field = key.store.field ?? "";
  const known = at.document?.keys[field]?.current;
  if (current?.value !== undefined) {
    const hash =
      current.hash ?? (known?.fingerprint === current.value.fingerprint() ? known.hash : undefined);
    const says =
      hash === undefined
        ? "a value that the first pass adopts, if it can be proved which key it is"
        : `key ${shortHash(hash)}`;
    return { check: "current", result: "passed", says: `${name} holds ${says}` };
  }
  if (known !== undefined)
    return {
      check: "current",
      result: "failed",
      says: `${name} shows no value where key ${shortHash(known.hash)} was`,
      hint: `put it back, or run \`rotate --now ${key.name}\` to provision a new one`,
    };
  if (at.exists || at.create)
    return noted(
      "current",
      `${name} ${at.exists ? "holds no key" : "is not there"}: a first key would be PROVISIONED`,
    );
  return {
    check: "current",
    result: "failed",
    says: `${name} is not there, and is not made, as the key's store has no create: true`,
    hint: "check its name, or set create: true on the key's store",
  };
}
