import { type LeaseState, NO_LEASE } from "../rules.ts";
import { TARGET_ANNOTATION } from "./names.ts";
import type { LeaseObject } from "./objects.ts";

/** A Lease as the journal's rules know it; `leaseTransitions` is the epoch. One that makes no sense has run out. */
export function leaseState(object: LeaseObject | undefined): LeaseState {
  const { holderIdentity, leaseDurationSeconds = 0, renewTime, leaseTransitions = 0 } = object?.spec ?? {};
  if (!holderIdentity) return { ...NO_LEASE, epoch: leaseTransitions };
  const until = Date.parse(renewTime ?? "") + leaseDurationSeconds * 1_000;
  return { holder: holderIdentity, epoch: leaseTransitions, until: Number.isNaN(until) ? 0 : until };
}

/** The Lease of `target` held by `holder` for `ttlMs` from `now`, both in milliseconds, by the API server's clock. */
export function heldLease(
  kept: LeaseObject | undefined,
  target: string,
  { holder, epoch }: { holder: string; epoch: number },
  now: number,
  ttlMs: number,
): Partial<LeaseObject> {
  const same = kept?.spec?.holderIdentity === holder && kept.spec.leaseTransitions === epoch;
  return {
    metadata: { name: "", annotations: { [TARGET_ANNOTATION]: target } },
    spec: {
      ...kept?.spec,
      holderIdentity: holder,
      leaseTransitions: epoch,
      leaseDurationSeconds: Math.max(1, Math.ceil(ttlMs / 1_000)),
      acquireTime: (same ? kept?.spec?.acquireTime : undefined) ?? microTime(now),
      renewTime: microTime(now),
    },
  };
}

/** The same Lease, given back. */
export function freeLease(kept: LeaseObject, now: number): Partial<LeaseObject> {
  return {
    spec: { ...kept.spec, holderIdentity: "", leaseDurationSeconds: 1, renewTime: microTime(now) },
  };
}

/** The API server takes exactly six digits of a second. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}
