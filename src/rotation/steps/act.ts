import { snapshotInForce } from "../observe.ts";
import type { Effect, Note } from "../step.ts";
import { adopt } from "./adopt.ts";
import type { StepContext } from "./context.ts";
import { create } from "./create.ts";
import { openRotation } from "./draft.ts";
import { applyNote } from "./notes.ts";
import { applySettings, deleteOrphan, disable, enable, reload, remove } from "./provider-effects.ts";
import { claim, forget, promote, promoteBack, putBack, restage, restore, rewrite } from "./store-effects.ts";
import { takeStock } from "./take-stock.ts";
import { verify } from "./verify.ts";

/** Carries out one effect. What it changes outside is journalled by it; facts it makes stale are forgotten. */
export async function perform(context: StepContext, effect: Effect): Promise<void> {
  const { facts } = context;
  const startedAt = context.parts.clock.now();
  let done = false;
  try {
    await dispatch(context, effect);
    done = true;
    if (!LEAVES_PROVIDER.has(effect.effect)) hear(context, effect, startedAt);
  } finally {
    if (!done || !LEAVES_STORE.has(effect.effect)) facts.forgetStore();
    if (!LEAVES_PROVIDER.has(effect.effect)) facts.forgetProvider("hash" in effect ? effect.hash : undefined);
  }
}

/** The provider has answered, and so told its time. */
function hear({ facts, parts, world }: StepContext, effect: Effect, at: number): void {
  const field = "field" in effect ? effect.field : openRotation(world.document).field;
  const provider = parts.connect.provider(snapshotInForce(world.document, world.policies, field));
  facts.heard[provider.name] = at;
  facts.skewMs[provider.name] = provider.skewMs();
}

/** What changes nothing in the store, or tells what it changes: a look of just now is as good after it as before. */
const LEAVES_STORE: ReadonlySet<Effect["effect"]> = new Set([
  "reload",
  "verify",
  "disable",
  "delete",
  "forget",
]);

/** What changes no key at the provider. */
const LEAVES_PROVIDER: ReadonlySet<Effect["effect"]> = new Set([
  "claim",
  "adopt",
  "take-stock",
  "restore",
  "verify",
  "restage",
  "promote",
  "reload",
  "forget",
  "put-back",
  "promote-back",
  "rewrite",
]);

function dispatch(context: StepContext, effect: Effect): Promise<void> {
  switch (effect.effect) {
    case "claim":
      return claim(context, effect.field, effect.takeOver, effect.requests);
    case "adopt":
      return adopt(context, effect.field);
    case "take-stock":
      return takeStock(context, effect.field);
    case "create":
      return create(context);
    case "restore":
      return restore(context);
    case "verify":
      return verify(context);
    case "restage":
      return restage(context, effect.base);
    case "promote":
      return promote(context, effect.version, effect.base);
    case "reload":
      return reload(context, effect.consumer, effect.question);
    case "apply-settings":
      return applySettings(context, effect.hash, effect.field, effect.patch);
    case "enable":
      return enable(context, effect.hash, effect.field);
    case "disable":
      return disable(context, effect.hash, effect.field);
    case "delete":
      return remove(context, effect.hash, effect.field);
    case "forget":
      return forget(context, effect.hash, effect.field);
    case "put-back":
      return putBack(context, effect.base);
    case "promote-back":
      return promoteBack(context, effect.version, effect.base);
    case "rewrite":
      return rewrite(context, effect.hash, effect.field, effect.base);
    case "delete-orphan":
      return deleteOrphan(context, effect.hash, effect.name, effect.field);
  }
}

/** Journals a change of the journal alone. */
export async function record(context: StepContext, note: Note): Promise<void> {
  const requestsDone = "requests" in note ? (note.requests ?? []) : [];
  await context.commit(
    note.note === "answer" ? (note.refused ? "refused" : "answered") : note.note,
    (draft) =>
      applyNote(draft, note, { world: context.world, random: context.parts.random, says: context.says }),
    { ...("field" in note ? { field: note.field } : {}), requestsDone },
  );
}
