import type { Clock } from "../lib/clock.ts";
import type { SecretRecord } from "./record.ts";
import {
  assertShape,
  claimed,
  dropped,
  type Found,
  fenced,
  promoted,
  readVersion,
  stage,
  viewOf,
} from "./record-changes.ts";
import type { SecretRef, Store } from "./store.ts";

/** A secret while nobody else can touch it. */
export interface HeldSecret {
  /** Reconciled with what consumers read; undefined when the secret is absent. */
  found: Found;
  warnings: string[];
  /** Durable when `hold` has resolved. What consumers read follows where current has changed. */
  save(record: SecretRecord): void;
}

/** Where records and what consumers read are kept. */
export interface Backing {
  /**
   * Calls `work` with the secret held against every other process, and returns what it returns.
   * `work` may be called again from the start, so it does nothing but look and save.
   */
  hold<T>(ref: SecretRef, work: (held: HeldSecret) => T): Promise<T>;
}

/** A store that keeps each secret as one record; the backing gives durability and mutual exclusion. */
export function recordStore(name: string, location: string, backing: Backing, clock: Clock): Store {
  const hold = <T>(ref: SecretRef, work: (held: HeldSecret) => T) =>
    backing.hold(ref, (held) => {
      assertShape(held.found, ref);
      return work(held);
    });
  const change = (ref: SecretRef, next: (found: Found) => Found) =>
    hold(ref, ({ found, save }) => {
      const record = next(found);
      if (record && record !== found) save(record);
    });

  return {
    name,
    location,
    observe: (ref) => hold(ref, ({ found, warnings }) => viewOf(found, ref, warnings)),
    claim: (ref, owner, options) => change(ref, (found) => claimed(found, ref, owner, options)),
    stage: (ref, request) =>
      hold(ref, ({ found, save }) => {
        const { record, staged } = stage(found, ref, request, clock.now());
        if (record !== found) save(record);
        return staged;
      }),
    read: (ref, version) => hold(ref, ({ found }) => readVersion(found, ref, version)),
    promote: (ref, version, base) => change(ref, (found) => promoted(found, ref, version, base)),
    fence: (ref, base) => change(ref, (found) => fenced(found, ref, base)),
    drop: (ref, version) => change(ref, (found) => found && dropped(found, ref, version)),
  };
}
