import type { IssuedRecord } from "../../journal/document.ts";
import { RotationError } from "../../lib/errors.ts";
import type { KeyPatch, Provider } from "../../providers/provider.ts";
import { keptValue } from "../kept-value.ts";
import { expectedBy, type Question } from "../world.ts";
import type { StepContext } from "./context.ts";
import { openRotation } from "./draft.ts";

/** Gives a key in use the policy's settings. */
export async function applySettings(
  context: StepContext,
  hash: string,
  field: string,
  patch: KeyPatch,
): Promise<void> {
  await context.stillOurs();
  await context.provider(field).update(hash, patch);
  await context.note(
    "settings-applied",
    { note: "drift", field, hash, differs: [] },
    { data: { hash, patch } },
  );
}

/** Enables a key that we disabled, or finds it gone. A disable that was never acknowledged is kept in mind (R2). */
export async function enable(context: StepContext, hash: string, field: string): Promise<void> {
  await context.stillOurs();
  const gone = await goneAt(context, hash, field, { disabled: false });
  const now = context.parts.clock.now();
  await context.commit(
    gone ? "gone" : "enabled",
    (draft) => {
      const record = draft.issued[hash];
      if (record === undefined) return;
      noteUnsure(record);
      delete record.disable;
      if (gone) record.delete = { sent: now, acknowledged: now };
    },
    { field, data: { hash }, ...(gone ? { message: `key ${hash} is gone at the provider` } : {}) },
  );
}

function noteUnsure(record: IssuedRecord): void {
  if (record.disable && record.disable.acknowledged === undefined) record.unsure = true;
}

/** Sends a change of one key; true when the provider proves not to have it any more. */
async function goneAt(
  context: StepContext,
  hash: string,
  field: string,
  patch: { disabled: boolean },
): Promise<boolean> {
  try {
    await context.provider(field).update(hash, patch);
    return false;
  } catch (thrown) {
    if (!(thrown instanceof RotationError) || thrown.code !== "absent") throw thrown;
    await proveAbsence(context, hash, field);
    return true;
  }
}

/** Disables a key: the call is journalled before it goes out and acknowledged after (R2). */
export async function disable(context: StepContext, hash: string, field: string): Promise<void> {
  context.stillFresh();
  await context.commit(
    "disable-sent",
    (draft) => {
      const record = draft.issued[hash];
      if (record === undefined) return;
      noteUnsure(record);
      record.disable = { sent: context.parts.clock.now() };
    },
    { field, data: { hash } },
  );
  context.stillFresh();
  const gone = await goneAt(context, hash, field, { disabled: true });
  await context.commit(
    "disabled",
    (draft) => {
      const record = draft.issued[hash];
      if (record?.disable) record.disable.acknowledged = context.parts.clock.now();
      if (record && gone)
        record.delete = { sent: context.parts.clock.now(), acknowledged: context.parts.clock.now() };
    },
    { field, data: { hash }, message: gone ? `key ${hash} is gone at the provider` : `disabled key ${hash}` },
  );
}

/** Deletes a key for good; a 404 counts as deleted only when the management key is proved to see our keys (R7). */
export async function remove(context: StepContext, hash: string, field: string): Promise<void> {
  context.stillFresh();
  await context.commit(
    "delete-sent",
    (draft) => {
      const record = draft.issued[hash];
      if (record) record.delete = { sent: context.parts.clock.now() };
    },
    { field, data: { hash } },
  );
  context.stillFresh();
  const answer = await context.provider(field).delete(hash);
  if (answer === "absent") await proveAbsence(context, hash, field);
  await context.commit(
    "delete-acknowledged",
    (draft) => {
      const record = draft.issued[hash];
      if (record?.delete) record.delete.acknowledged = context.parts.clock.now();
    },
    { field, data: { hash } },
  );
}

/** R7: the same credential must see the current key, and this one no more, or a 404 says nothing. */
export async function proveAbsence(
  context: StepContext,
  hash: string,
  field: string,
  provider = context.provider(field),
): Promise<void> {
  if ((await provider.get(hash)) !== undefined)
    throw new RotationError(
      "unclear",
      `the provider answers 404 for a change of key ${hash}, and still shows it`,
    );
  const accepted = await acceptedItself(context, hash, field, provider);
  if (accepted)
    throw new RotationError(
      "unclear",
      `the provider accepts key ${hash}, and does not show it to this management key`,
      { hint: "use a management key of the account and workspace that issued it" },
    );
  const current = context.document.keys[field]?.current?.hash;
  if (current !== undefined && current !== hash && (await provider.get(current)) !== undefined) return;
  // A key that nobody disabled and that the provider refuses is gone, whoever looks.
  if (accepted === false && context.document.issued[hash]?.disable === undefined) return;
  throw new RotationError(
    "unclear",
    `the provider answers 404 for key ${hash}, and does not show the current key either`,
    {
      hint: "check that the management key belongs to the account that issued the keys",
    },
  );
}

/** Whether the provider accepts the key's own plaintext; undefined when the store keeps it no more. */
async function acceptedItself(
  context: StepContext,
  hash: string,
  field: string,
  provider: Provider,
): Promise<boolean | undefined> {
  const ref = context.snapshot(field).key.store;
  const value = await keptValue(context.store(field), ref, context.document.issued[hash]);
  return value && (await provider.current(value)).accepted;
}

/** Deletes what bears a name that we intended, and whose plaintext nobody has. */
export async function deleteOrphan(
  context: StepContext,
  hash: string,
  name: string,
  field: string,
  provider = context.provider(field),
): Promise<void> {
  const owner = await context.parts.journal.ownerOf(hash);
  if (owner !== undefined)
    throw new RotationError("conflict", `key ${hash} belongs to ${owner}; it is left alone`);
  await context.stillOurs();
  await provider.delete(hash);
  await context.commit(
    "orphan-deleted",
    (draft) => {
      const intent = draft.intents[name];
      if (intent) Object.assign(intent, { settled: "deleted", deletedAt: context.parts.clock.now() });
    },
    { field, data: { hash, name } },
  );
}

/** Runs a consumer's reload hook; how it went is journalled, and a failure is tried again later. */
export async function reload(context: StepContext, consumer: string, question: Question): Promise<void> {
  const snapshot = context.snapshot(question.field);
  const hook = context.parts.connect.reloads(snapshot).find((one) => one.consumer === consumer);
  let failure: string | undefined;
  try {
    const { issued, rotation } = context.document;
    await hook?.run(expectedBy(question, issued[question.hash], rotation));
  } catch (thrown) {
    failure = thrown instanceof Error ? thrown.message : String(thrown);
  }
  const message =
    failure === undefined
      ? `${consumer} was told to read its key again`
      : `reload of ${consumer} failed: ${failure}`;
  if (failure !== undefined) {
    const rotation = context.document.rotation?.id;
    context.parts.log(
      "warn",
      { key: snapshot.key.name, rotation, reason: context.reason, consumer },
      message,
    );
  }
  await context.commit(
    failure === undefined ? "reloaded" : "reload-failed",
    (draft) => {
      const rotation = openRotation(draft);
      const attempts = (rotation.reloads?.[consumer]?.attempts ?? 0) + 1;
      const at = context.parts.clock.now();
      rotation.reloads = {
        ...rotation.reloads,
        [consumer]: {
          at,
          attempts,
          done: failure === undefined,
          ...(failure === undefined ? {} : { error: failure }),
        },
      };
    },
    { message },
  );
}
