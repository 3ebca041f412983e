import type { TargetDocument } from "../../journal/document.ts";
import { undamaged } from "../../journal/journal.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Context } from "../context.ts";
import { shortHash } from "../render/style.ts";

export type StandingState =
  | "current"
  | "coming"
  | "being replaced"
  | "on its way out"
  | "to be adopted"
  | "issued, not current";

/** What an issued key is to a key of the policy. */
export interface Standing {
  /** Name of the policy's key. */
  key: string;
  state: StandingState;
  /** Disabled by a rotation, which has seen that nobody needs it. */
  retired: boolean;
}

/** By hash, what the journal knows, and what the policy says is to be adopted. */
export async function standings({ policy, journal }: Context): Promise<ReadonlyMap<string, Standing>> {
  const found = new Map<string, Standing>();
  for (const { name, adopt } of policy.keys) {
    if (adopt) found.set(adopt.hash, { key: name, state: "to be adopted", retired: false });
  }
  for (const { document } of undamaged(await journal.all())) {
    for (const { hash, field, disable } of Object.values(document.issued)) {
      const state = stateOf(document, hash, field);
      const retired = state === "on its way out" && disable?.acknowledged !== undefined;
      found.set(hash, { key: document.keys[field]?.name ?? field, state, retired });
    }
  }
  return found;
}

function stateOf({ keys, issued, rotation }: TargetDocument, hash: string, field: string): StandingState {
  if (keys[field]?.current?.hash === hash) return "current";
  if (rotation?.new?.hash === hash) return "coming";
  if (rotation?.old?.hash === hash) return "being replaced";
  return issued[hash]?.retire ? "on its way out" : "issued, not current";
}

/** Throws RotationError `rejected` when consumers may use the key that is to be disabled or deleted. */
export function refuseInUse(
  standing: Standing | undefined,
  hash: string,
  { doing, force = false }: { doing: "disabling" | "deleting"; force?: boolean },
): void {
  if (!standing || standing.retired || force) return;
  const { key, state } = standing;
  throw new RotationError(
    "rejected",
    `key ${shortHash(hash)} belongs to ${key} (${state}): ${doing} it would fail the requests of whoever uses it`,
    { hint: `\`rotate --now ${key}\` replaces it without an outage; --force does it all the same` },
  );
}
