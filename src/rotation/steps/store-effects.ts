import type { KeyRecord, RotationRecord } from "../../journal/document.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Secret } from "../../lib/secret.ts";
import { keptValue } from "../kept-value.ts";
import type { StepContext } from "./context.ts";
import { keepOld, keyRecord, openRotation, setVersion } from "./draft.ts";

/**
 * Stamps our name beside the secret (R11). A take-over first notes, for every key of the secret, that
 * stock is to be taken of what the owner before has left.
 */
export async function claim(
  context: StepContext,
  field: string,
  takeOver: boolean,
  requests: string[],
): Promise<void> {
  const { key, store } = context.snapshot(field);
  const create = key.store.create ?? store.type === "file";
  if (takeOver)
    await context.commit(
      "take-over-sent",
      (draft) => {
        const since = context.parts.clock.now();
        for (const [each, snapshot] of Object.entries(context.world.policies)) {
          const record = keyRecord(draft, each, snapshot.key.name, snapshot.key.provider);
          record.leftBehind = { since, keys: [] };
        }
      },
      { field },
    );
  await context.store(field).claim(key.store, context.world.owner, { create, takeOver });
  await context.commit("claimed", () => {}, { field, requestsDone: requests });
}

/** Stages the value of an earlier key as a version of this rotation, on what is current now (R1). */
export async function restore(context: StepContext): Promise<void> {
  const rotation = openRotation(context.document);
  const fresh = rotation.new as NonNullable<RotationRecord["new"]>;
  const ref = rotation.policy.key.store;
  const store = context.store(rotation.field);
  const value = await valueToStage(context, rotation.field, fresh.hash);
  const { base, current: beneath } = await store.observe(ref);
  const staged = await store.stage(ref, { rotation: rotation.id, hash: fresh.hash, value, base });
  await context.note("staged", {
    note: "staged",
    version: staged.version,
    base: staged.base,
    hash: fresh.hash,
    ...(beneath === undefined ? {} : { beneath }),
  });
}

/** Stages the new key again on a base that has moved, so that edits of other fields are kept (R9, R14). */
export async function restage(context: StepContext, base: string): Promise<void> {
  const rotation = openRotation(context.document);
  const fresh = rotation.new as NonNullable<RotationRecord["new"]>;
  const ref = rotation.policy.key.store;
  const store = context.store(rotation.field);
  const value = await valueToStage(context, rotation.field, fresh.hash);
  const staged = await store.stage(ref, { rotation: rotation.id, hash: fresh.hash, value, base });
  await context.commit("restaged", (draft) => {
    const open = openRotation(draft);
    open.new = { ...fresh, version: staged.version, base: staged.base };
    const record = draft.issued[fresh.hash];
    if (record) {
      setVersion(record, staged.version);
      record.promotionBase = staged.base;
    }
    const view = context.world.store[rotation.field]?.value;
    if (view?.base === base) keepOld(draft, view.current);
  });
}

/** Makes the verified version current, if current is still what it was staged upon. */
export async function promote(context: StepContext, version: string, base: string): Promise<void> {
  const rotation = openRotation(context.document);
  await context.stillOurs();
  await context.store(rotation.field).promote(rotation.policy.key.store, version, base);
  await context.note("promoted", { note: "promoted" }, { data: { hash: rotation.new?.hash, version } });
}

/** Stages the old value as a new version, on what is current now (R1). */
export async function putBack(context: StepContext, base: string): Promise<void> {
  const rotation = openRotation(context.document);
  const old = rotation.old as NonNullable<RotationRecord["old"]>;
  const value = await valueToStage(context, rotation.field, old.hash);
  const staged = await context
    .store(rotation.field)
    .stage(rotation.policy.key.store, { rotation: `${rotation.id}-back`, hash: old.hash, value, base });
  await context.commit("staged-back", (draft) => {
    const { revert } = openRotation(draft);
    if (revert) Object.assign(revert, { version: staged.version, base: staged.base });
    const record = draft.issued[old.hash];
    if (record) setVersion(record, staged.version);
  });
}

/** Makes the old value current again. */
export async function promoteBack(context: StepContext, version: string, base: string): Promise<void> {
  const rotation = openRotation(context.document);
  await context.stillOurs();
  await context.store(rotation.field).promote(rotation.policy.key.store, version, base);
  await context.note("promoted-back", { note: "promoted-back", version });
}

/** Rewrites current as a new version of the same value, so that a promotion that expects the old base fails (R1). */
export async function rewrite(
  context: StepContext,
  hash: string,
  field: string,
  base: string,
): Promise<void> {
  const ref = context.snapshot(field).key.store;
  const store = context.store(field);
  const view = await store.observe(ref);
  let version: string | undefined;
  if (view.base === base) {
    await context.stillOurs();
    if (view.current?.value === undefined) await store.fence(ref, base);
    else {
      const current = context.document.keys[field]?.current?.hash ?? "";
      const staged = await store.stage(ref, {
        rotation: `fence-${hash}`,
        hash: current,
        value: view.current.value,
        base,
      });
      await store.promote(ref, staged.version, base);
      version = staged.version;
    }
  }
  await context.commit(
    "fenced",
    (draft) => {
      delete draft.issued[hash]?.promotionBase;
      const { current } = draft.keys[field] as KeyRecord;
      if (version === undefined || current === undefined) return;
      current.version = version;
      const record = draft.issued[current.hash];
      if (record) setVersion(record, version);
    },
    { field },
  );
}

/** The plaintext of a deleted key leaves the store, and the key the journal. */
export async function forget(context: StepContext, hash: string, field: string): Promise<void> {
  const record = context.document.issued[hash];
  const ref = context.snapshot(field).key.store;
  const current = context.document.keys[field]?.current?.version;
  const store = context.store(field);
  const { staged, retained = [] } = await context.view(field);
  // A process that died between the store's write and the journal's has left one that the journal doesn't know.
  const left = [...staged, ...retained]
    .filter((version) => version.hash === hash)
    .map(({ version }) => version);
  const needed = await neededByOthers(context, hash, field);
  for (const version of new Set([record?.version, ...(record?.olderVersions ?? []), ...left])) {
    if (version === undefined || version === current || needed.has(version)) continue;
    await store.drop(ref, version);
    context.facts.dropped(version);
  }
  await context.commit(
    "deleted",
    (draft) => {
      delete draft.issued[hash];
    },
    { field, data: { hash, label: record?.label } },
  );
}

/**
 * A version holds every field: what keeps another key's plaintext stays as long as that key. Where the
 * journal was put back as it was, the store knows better which version that is.
 */
async function neededByOthers(
  context: StepContext,
  hash: string,
  field: string,
): Promise<Set<string | undefined>> {
  const { issued, keys } = context.document;
  const needed = new Set(
    Object.values(issued).map((other) => (other.hash === hash ? undefined : other.version)),
  );
  for (const sibling of Object.keys(keys)) {
    if (sibling === field) continue;
    const { retained = [] } = await context.view(sibling);
    for (const { version, hash: other } of retained)
      if (other !== undefined && other !== hash && issued[other]) needed.add(version);
  }
  return needed;
}

async function valueToStage(context: StepContext, field: string, hash: string): Promise<Secret> {
  const ref = context.snapshot(field).key.store;
  const value = await keptValue(context.store(field), ref, context.document.issued[hash]);
  if (value === undefined)
    throw new RotationError("unusable", `the store keeps the plaintext of key ${hash} no more`);
  return value;
}
