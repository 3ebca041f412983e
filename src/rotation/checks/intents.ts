import type { IntentRecord } from "../../journal/document.ts";
import type { SecretView, StagedVersion } from "../../stores/store.ts";
import { keysNamed } from "../named-keys.ts";
import { shortHash } from "../names.ts";
import { type Decision, step, wait } from "../step.ts";
import { LIST_DELAY_MS } from "../timing.ts";
import type { World } from "../world.ts";
import { currentFingerprint, needIssued, needList, needStore, snapshotFor } from "./common.ts";
import { evidenceAgainstStray } from "./retire.ts";

/**
 * R7: after every ended rotation the provider's list is walked once, and what bears a name that we
 * intended is deleted, unless its hash is journalled as issued or is the store's current. One that stands in a stage, left by
 * a process that woke up late, is given up first: a promotion of it may be on its way (R1).
 */
export function checkIntents(world: World): Decision | undefined {
  const { walk } = world.document;
  if (walk === undefined || world.document.rotation) return undefined;
  const snapshot = snapshotFor(world, walk.field);
  if (snapshot === undefined) return undefined;
  const list = needList(world, walk.field, snapshot.key.provider, Math.max(walk.since, lookedAgainAt(world)));
  if ("decision" in list) return list.decision;
  const named = Object.keys(world.document.intents).flatMap((name) => keysNamed(list.fact.value, name));
  const strays = named.filter((key) => world.document.issued[key.hash] === undefined);
  for (const stray of strays) {
    const { field } = world.document.intents[stray.name as string] as { field: string };
    const store = needStore(world, field, walk.since);
    if ("decision" in store) return store.decision;
    if (isCurrent(stray.hash, store.fact.value)) continue;
    const staged = store.fact.value.staged.find((version) => version.hash === stray.hash);
    if (staged !== undefined) return giveUp(staged, stray.name as string, field);
    const again = lookAgainAt(world.document.intents[stray.name as string] as IntentRecord);
    if (world.now < again)
      return wait(again, "list-delay", `the provider to show deleted key ${shortHash(stray.hash)} no more`);
    // A list may go on showing what was deleted.
    const there = needIssued(world, field, stray.hash, walk.since);
    if ("decision" in there) return there.decision;
    if (there.fact.value === undefined) continue;
    const used = evidenceAgainstStray(world, { hash: stray.hash, field, since: walk.since });
    if (used) return used;
    return step(
      { effect: "delete-orphan", hash: stray.hash, name: stray.name as string, field },
      "orphan-found",
      `deletes key ${shortHash(stray.hash)}, which bears a name of ours and whose plaintext was lost`,
    );
  }
  return (
    strayStaged(world, walk.field) ??
    step({ note: "walked" }, "walked", "has found no lost key of ours at the provider")
  );
}

function isCurrent(hash: string, view: SecretView): boolean {
  return view.current?.hash === hash || currentFingerprint(view) === `sha256:${hash}`;
}

/** What a process has staged that woke up after its rotation had ended: the key may be gone already, its plaintext is not. */
function strayStaged(world: World, field: string): Decision | undefined {
  const store = needStore(world, field);
  if ("decision" in store) return store.decision;
  const { staged, current } = store.fact.value;
  for (const version of staged) {
    if (world.document.issued[version.hash] !== undefined || version.hash === current?.hash) continue;
    const intents = Object.values(world.document.intents);
    const intent = intents.find(({ rotation }) => rotation === version.rotation);
    if (intent) return giveUp(version, intent.name, field);
  }
  return undefined;
}

/** A provider whose list lags behind goes on showing what was deleted: it is not deleted again and again meanwhile. */
function lookAgainAt({ deletedAt }: IntentRecord): number {
  return deletedAt === undefined ? 0 : deletedAt + LIST_DELAY_MS;
}

/** The latest instant by now from which a deleted key is looked for again. */
function lookedAgainAt(world: World): number {
  const instants = Object.values(world.document.intents).map(lookAgainAt);
  return Math.max(0, ...instants.filter((at) => at <= world.now));
}

function giveUp(staged: StagedVersion, name: string, field: string): Decision {
  const { hash, version, base, value } = staged;
  const fingerprint = value === undefined ? {} : { fingerprint: value.fingerprint() };
  return step(
    { note: "give-up", hash, name, field, version, base, ...fingerprint },
    "stray-staged",
    `gives up key ${shortHash(hash)}, which was staged by a rotation that had ended`,
  );
}
