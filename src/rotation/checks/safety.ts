import { shortHash } from "../names.ts";
import { type Decision, step } from "../step.ts";
import type { World } from "../world.ts";
import { currentFingerprint, recordByFingerprint } from "./common.ts";

/**
 * R2: a key that is current and that we have (perhaps) disabled is enabled again, before anything
 * else. What is current is what the store showed in this pass, else what the journal last knew.
 */
export function checkCurrentEnabled(world: World): Decision | undefined {
  for (const [field, key] of Object.entries(world.document.keys)) {
    const view = world.store[field]?.value;
    const shown = view && currentFingerprint(view);
    const record = shown
      ? recordByFingerprint(world, field, shown)
      : key.current && world.document.issued[key.current.hash];
    if (!record?.disable || record.distrusted || record.delete) continue;
    return step(
      { effect: "enable", hash: record.hash, field },
      "current-disabled",
      `enables key ${shortHash(record.hash)}, which is current, at the provider`,
    );
  }
  return undefined;
}
