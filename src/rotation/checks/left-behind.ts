import { sameOwner } from "../../lib/owner.ts";
import { type Decision, step } from "../step.ts";
import { STORE_FRESH_MS } from "../timing.ts";
import type { World } from "../world.ts";
import { currentFingerprint, needStore } from "./common.ts";

/** How often what another journal has left is looked for again while there is any, in milliseconds. */
export const STOCK_EVERY_MS = 24 * 3_600_000;

/**
 * After a take-over, once it is known which key is current, stock is taken of what the journal before
 * has left: of versions that its rotations have staged, and of keys that stand in no record.
 */
export function checkLeftBehind(world: World): Decision | undefined {
  if (world.document.rotation) return undefined;
  for (const field of Object.keys(world.policies)) {
    const { leftBehind, current } = world.document.keys[field] ?? {};
    if (leftBehind === undefined || current === undefined) continue;
    if (leftBehind.at !== undefined && world.now < leftBehind.at + STOCK_EVERY_MS) continue;
    const store = needStore(world, field, world.now - STORE_FRESH_MS);
    if ("decision" in store) return store.decision;
    const { owner } = store.fact.value;
    if (owner === undefined || !sameOwner(owner, world.owner)) continue;
    if (currentFingerprint(store.fact.value) !== current.fingerprint) continue;
    return step(
      { effect: "take-stock", field },
      "left-behind",
      "looks for what the journal that kept this secret before has left",
    );
  }
  return undefined;
}
