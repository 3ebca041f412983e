import type { IntentRecord, IssuedRecord, RotationRecord } from "../../journal/document.ts";
import { asRotationError, isWeather, RotationError } from "../../lib/errors.ts";
import type { Secret } from "../../lib/secret.ts";
import type { IssuedKey } from "../../providers/provider.ts";
import type { SecretView, StagedVersion, StoredVersion } from "../../stores/store.ts";
import { type Inherited, inheritedFrom, settingsFor } from "../settings.ts";
import type { StepContext } from "./context.ts";
import { openRotation } from "./draft.ts";

/** How often the store is tried again for a key whose plaintext is only in memory, and the first wait in milliseconds. */
const STAGE_TRIES = 5;
const STAGE_FIRST_WAIT_MS = 250;

/**
 * Creates the replacement and stages it: intent on disk → create, once → hash on disk → version in
 * the store, even when journalling the hash failed, since the plaintext exists nowhere else → read back.
 */
export async function create(context: StepContext): Promise<void> {
  const rotation = openRotation(context.document);
  const name = rotation.intent as string;
  const provider = context.provider(rotation.field);
  const old =
    rotation.old &&
    (context.facts.issued[rotation.old.hash]?.value ??
      (await provider.get(rotation.old.hash)) ??
      (rotation.old.settings as Inherited | undefined));
  const view = await context.view(rotation.field);
  if (view.current?.value?.fingerprint() !== rotation.old?.fingerprint)
    throw new RotationError(
      "conflict",
      "the secret was changed by someone else since the rotation was planned",
    );
  if (rotation.lost !== undefined) await proveWritable(context, rotation, view);
  const settings = settingsFor(rotation.policy.key.settings, old, context.parts.clock.now());
  await context.commit("create-sent", (draft) => {
    const intent = draft.intents[name] as IntentRecord;
    intent.sentAt = context.parts.clock.now();
    intent.settings = { ...settings };
    if (settings.workspaceId !== undefined) intent.workspace = settings.workspaceId;
  });
  const made = await provider
    .create(name, settings)
    .catch((thrown: unknown) => refused(context, name, thrown));
  if (made === undefined) return;
  const journalled = await journalIssued(context, rotation, name, made.issued, made.key);
  const { staged, beneath } = await stageStubbornly(context, rotation, made.issued.hash, made.key, view);
  if (journalled !== undefined) throw journalled;
  await context.note("staged", {
    note: "staged",
    version: staged.version,
    base: staged.base,
    hash: made.issued.hash,
    ...(beneath === undefined ? {} : { beneath }),
  });
}

/**
 * The store has refused a new key's plaintext before: it must take a write of the current value, which
 * then goes again, before another key is made. A secret without one has nothing to write.
 */
async function proveWritable(
  context: StepContext,
  { id, field, old, policy }: RotationRecord,
  { base, current }: SecretView,
): Promise<void> {
  if (old === undefined || current?.value === undefined) return;
  const store = context.store(field);
  const ref = policy.key.store;
  const request = { rotation: `${id}-proof`, hash: old.hash, value: current.value, base };
  const { version } = await store.stage(ref, request);
  await store.drop(ref, version);
}

/** A create that was refused for certain leaves nothing behind; anything else is searched for by name (R7). */
async function refused(context: StepContext, name: string, thrown: unknown): Promise<undefined> {
  const error = asRotationError(thrown);
  if (error.code === "throttled" || error.code === "unreachable") {
    await context.commit(
      "create-not-sent",
      (draft) => {
        delete draft.intents[name]?.sentAt;
      },
      { message: `nothing was created: ${error.message}` },
    );
    throw error;
  }
  if (error.code !== "unauthorized" && error.code !== "forbidden" && error.code !== "rejected") throw error;
  const message = error.hint ? `${error.message}; ${error.hint}` : error.message;
  await context.note(
    "failed",
    { note: "fail", message },
    {
      message: `the provider refused to create a key: ${message}`,
      also: (draft) => {
        const intent = draft.intents[name];
        if (intent) intent.settled = "refused";
      },
    },
  );
  return undefined;
}

/** Journals the hash; a failure is kept for later, because the plaintext has to reach the store first. */
async function journalIssued(
  context: StepContext,
  rotation: RotationRecord,
  name: string,
  issued: IssuedKey,
  key: Secret,
): Promise<RotationError | undefined> {
  const record: IssuedRecord = {
    hash: issued.hash,
    field: rotation.field,
    provider: rotation.policy.key.provider,
    origin: "issued",
    name,
    fingerprint: key.fingerprint(),
    settings: { ...context.document.intents[name]?.settings, ...inheritedFrom(issued) },
    createdAt: issued.createdAt ? Date.parse(issued.createdAt) : context.parts.clock.now(),
    ...(issued.label === undefined ? {} : { label: issued.label }),
    ...(issued.expiresAt ? { expiresAt: Date.parse(issued.expiresAt) } : {}),
  };
  try {
    await context.commit(
      "created",
      (draft) => {
        draft.issued[issued.hash] = record;
        const intent = draft.intents[name];
        if (intent) Object.assign(intent, { hash: issued.hash, settled: "issued" });
        const open = openRotation(draft);
        open.new = { hash: issued.hash, label: issued.label ?? "", fingerprint: key.fingerprint() };
      },
      {
        message: `created key ${issued.hash}`,
        data: { hash: issued.hash, label: issued.label, fingerprint: key.fingerprint(), name },
      },
    );
    return undefined;
  } catch (thrown) {
    return asRotationError(thrown);
  }
}

/**
 * Stages upon what was seen before the key was made, or, where that has changed since, upon what is
 * there, and reads back. Bad weather at the store is waited out for as long as it is sensible to keep
 * a plaintext in memory.
 */
async function stageStubbornly(
  context: StepContext,
  rotation: RotationRecord,
  hash: string,
  key: Secret,
  seen: SecretView,
): Promise<{ staged: StagedVersion; beneath: StoredVersion | undefined }> {
  const { clock } = context.parts;
  const store = context.store(rotation.field);
  const ref = rotation.policy.key.store;
  for (let attempt = 0; ; attempt += 1) {
    try {
      const { base, current: beneath } = attempt === 0 ? seen : await store.observe(ref);
      const staged = await store.stage(ref, { rotation: rotation.id, hash, value: key, base });
      const readBack = await store.read(ref, staged.version);
      if (readBack?.equals(key)) return { staged, beneath };
      throw new RotationError("unusable", "the store returned another value than was written to it");
    } catch (thrown) {
      const error = asRotationError(thrown);
      if (attempt === 0 && error.code === "conflict") continue;
      if (!isWeather(error) || attempt === STAGE_TRIES) throw error;
      await clock.sleep(STAGE_FIRST_WAIT_MS * 2 ** attempt);
    }
  }
}
