import type { KeyRecord, TargetDocument, UndecidedKey } from "../../journal/document.ts";
import { RotationError } from "../../lib/errors.ts";
import type { IssuedKey } from "../../providers/provider.ts";
import type { SecretView, StagedVersion } from "../../stores/store.ts";
import { STOCK_EVERY_MS } from "../checks/left-behind.ts";
import { parseIntendedName, shortHash } from "../names.ts";
import { describeUndecided } from "../undecided.ts";
import type { StepContext } from "./context.ts";
import { setVersion } from "./draft.ts";

type Current = NonNullable<KeyRecord["current"]>;

/**
 * What another journal has left of a key. Staged versions are dropped, after current was written again
 * so that no promotion of them that is still on its way succeeds (R1): nobody could use them any more,
 * and their plaintext must not stay. The keys at the provider are not touched, since this journal
 * cannot prove that they are its own (R6): they are written down, for people.
 */
export async function takeStock(context: StepContext, field: string): Promise<void> {
  const { current, leftBehind } = context.document.keys[field] as KeyRecord;
  if (current === undefined || leftBehind === undefined) return;
  const ref = context.snapshot(field).key.store;
  const store = context.store(field);
  const view = await store.observe(ref);
  const strays = view.staged.filter(
    ({ hash, version }) => context.document.issued[hash] === undefined && version !== view.current?.version,
  );
  if (leftBehind.at === undefined || strays.length > 0) await fence(context, field, view, current);
  for (const { version } of strays) await store.drop(ref, version);

  const listed = await context.provider(field).list(workspacesOf(context, field));
  const kept = await keptValues(context, field, current, listed);
  const earlier = [...leftBehind.keys, ...strays.map(({ hash }) => ({ hash }))];
  const undecided = distinct([
    ...kept.undecided,
    ...(await strangers(context, field, current, listed)),
    ...(await stillThere(context, field, current, listed, earlier)),
  ]);
  const now = context.parts.clock.now();
  const message = said(strays, undecided);
  await context.commit(
    "stock-taken",
    (draft) => {
      const record = draft.keys[field] as KeyRecord;
      if (undecided.length === 0 && now >= leftBehind.since + STOCK_EVERY_MS) delete record.leftBehind;
      else record.leftBehind = { since: leftBehind.since, at: now, keys: undecided };
      const issued = draft.issued[current.hash];
      if (issued) issued.olderVersions = [...new Set([...(issued.olderVersions ?? []), ...kept.ofCurrent])];
    },
    { field, message, data: { undecided, dropped: strays.map(({ hash, version }) => ({ hash, version })) } },
  );
  if (undecided.length > 0)
    context.parts.log("warn", { key: context.snapshot(field).key.name, reason: context.reason }, message);
}

/** Writes the current value again as a new version, so that a promotion that expects the one before fails (R1). */
async function fence(context: StepContext, field: string, view: SecretView, current: Current): Promise<void> {
  const ref = context.snapshot(field).key.store;
  const store = context.store(field);
  const value = view.current?.value;
  if (value?.fingerprint() !== current.fingerprint || value === undefined)
    throw new RotationError("conflict", "the secret was changed by someone else just now");
  const rotation = `fence-${context.world.owner.journal}`;
  const staged = await store.stage(ref, { rotation, hash: current.hash, value, base: view.base });
  await context.stillOurs();
  await store.promote(ref, staged.version, view.base);
  await context.commit(
    "fenced",
    (draft) => {
      const record = draft.keys[field] as KeyRecord;
      record.current = { ...current, version: staged.version };
      const issued = draft.issued[current.hash];
      if (issued) setVersion(issued, staged.version);
    },
    {
      field,
      message:
        "wrote the current value again as a new version, so that no late promotion by another journal can succeed",
    },
  );
}

function workspacesOf({ document, ...context }: StepContext, field: string): string[] {
  const own = context.world.policies[field]?.key.settings.workspaceId;
  return [...new Set([own, ...Object.values(document.intents).map(({ workspace }) => workspace)])].filter(
    (id) => id !== undefined,
  );
}

/** Keys that bear a name which this installation would have given to this key, and that stand in no record. */
async function strangers(
  context: StepContext,
  field: string,
  current: Current,
  listed: readonly IssuedKey[],
): Promise<UndecidedKey[]> {
  const { installation, key } = context.snapshot(field);
  const names = [key.name, ...key.formerly];
  const found: UndecidedKey[] = [];
  for (const one of listed) {
    const parsed = parseIntendedName(one.name ?? "");
    if (parsed?.installation !== installation || !names.includes(parsed.key)) continue;
    const intended = context.document.intents[one.name as string] !== undefined;
    if (!intended && !(await isOurs(context, current, one.hash))) found.push(shown(one));
  }
  return found;
}

/** Of keys found earlier, or staged until now, those that the provider has not shown to be gone (R7). */
async function stillThere(
  context: StepContext,
  field: string,
  current: Current,
  listed: readonly IssuedKey[],
  earlier: readonly UndecidedKey[],
): Promise<UndecidedKey[]> {
  const found: UndecidedKey[] = [];
  for (const { kept: _, ...one } of earlier) {
    if (one.hash === undefined || (await isOurs(context, current, one.hash))) continue;
    const key = await keyOf(context, field, listed, one.hash);
    if (key !== undefined) found.push(shown(key));
    else if (!sees(listed, current)) found.push(one);
  }
  return found;
}

async function isOurs(context: StepContext, current: Current, hash: string): Promise<boolean> {
  return hash === current.hash || (await context.parts.journal.ownerOf(hash)) !== undefined;
}

/** Whether this credential is shown our keys, so that one it is not shown is gone. */
function sees(listed: readonly IssuedKey[], current: Current): boolean {
  return listed.some(({ hash }) => hash === current.hash);
}

/** Each key once; the first that was found of it. */
function distinct(keys: readonly UndecidedKey[]): UndecidedKey[] {
  return [
    ...new Map(keys.toReversed().map((key) => [key.hash ?? key.kept?.fingerprint, key])).values(),
  ].reverse();
}

/** Values that were current earlier and that the store still keeps, without a record here to say why. */
async function keptValues(
  context: StepContext,
  field: string,
  current: Current,
  listed: readonly IssuedKey[],
): Promise<{ undecided: UndecidedKey[]; ofCurrent: string[] }> {
  const ref = context.snapshot(field).key.store;
  const store = context.store(field);
  const undecided: UndecidedKey[] = [];
  const ofCurrent: string[] = [];
  const fingerprints = new Set(Object.values(context.document.issued).map((record) => record.fingerprint));
  for (const { version, hash } of (await store.observe(ref)).retained ?? []) {
    if (isRecorded(context.document, version)) continue;
    const fingerprint = (await store.read(ref, version))?.fingerprint();
    if (fingerprint === current.fingerprint) ofCurrent.push(version);
    if (fingerprint === undefined || fingerprints.has(fingerprint)) continue;
    const key = await keyOf(context, field, listed, hash ?? fingerprint.slice("sha256:".length));
    // A key that is gone needs no plaintext any more.
    if (key === undefined && hash !== undefined && sees(listed, current)) await store.drop(ref, version);
    else undecided.push({ ...(key ? shown(key) : {}), kept: { version, fingerprint } });
  }
  return { undecided, ofCurrent };
}

function isRecorded({ issued }: TargetDocument, version: string): boolean {
  return Object.values(issued).some(
    (record) => record.version === version || record.olderVersions?.includes(version),
  );
}

async function keyOf(
  context: StepContext,
  field: string,
  listed: readonly IssuedKey[],
  hash: string,
): Promise<IssuedKey | undefined> {
  return listed.find((one) => one.hash === hash) ?? (await context.provider(field).get(hash));
}

function shown({ hash, name, createdAt, disabled }: IssuedKey): UndecidedKey {
  return {
    hash,
    ...(name === undefined ? {} : { name }),
    ...(createdAt === undefined ? {} : { createdAt: Date.parse(createdAt) }),
    ...(disabled === undefined ? {} : { disabled }),
  };
}

function said(dropped: readonly StagedVersion[], undecided: readonly UndecidedKey[]): string {
  const parts = dropped.map(
    ({ hash }) => `the value of key ${shortHash(hash)}, staged by another journal, has left the store`,
  );
  if (undecided.length > 0) parts.push(describeUndecided(undecided));
  return parts.join("; ") || "found nothing that another journal has left";
}
