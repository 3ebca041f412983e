import type { PolicySnapshot } from "../../journal/document.ts";
import type { Lease } from "../../journal/journal.ts";
import { asRotationError, RotationError } from "../../lib/errors.ts";
import type { Owner } from "../../lib/owner.ts";
import type { Provider } from "../../providers/provider.ts";
import { gate, skewed } from "../checks/common.ts";
import { shortHash } from "../names.ts";
import { Facts } from "../observe.ts";
import type { Parts } from "../parts.ts";
import { LEASE_MS, StepContext } from "../steps/context.ts";
import { deleteOrphan, proveAbsence } from "../steps/provider-effects.ts";
import type { KeyPlace } from "../targets.ts";
import type { World } from "../world.ts";
import { holdingsOf } from "./holdings.ts";
import { judgeIntended } from "./judge.ts";
import type { SweepOutcome, SweptKey } from "./report.ts";

export interface RemovalSite {
  target: string;
  /** This process works on the target already, under the very lease that would be asked for. */
  busy: boolean;
  /** The places of the target. */
  places: readonly KeyPlace[];
  /** The present policy's keys of the target, by field. */
  policies: Readonly<Record<string, PolicySnapshot>>;
  owner: Owner;
  actor: string;
  signal?: AbortSignal;
  /** The provider that a key was found at. */
  providerOf(key: SweptKey): Provider;
}

/** What became of one key, and the error behind it if one is. */
export interface Removal {
  outcome: SweepOutcome;
  message?: string;
  error?: RotationError;
}

/**
 * Deletes lost keys of one target, each under the target's lease and after journal, store and
 * provider were read again. Keys that a signal left undone are not in the answer. Never throws for
 * what one key met with; throws what the journal throws.
 */
export async function removeLost(
  parts: Parts,
  site: RemovalSite,
  lost: readonly SweptKey[],
): Promise<Map<SweptKey, Removal>> {
  const removals = new Map<SweptKey, Removal>();
  const lease = site.busy ? undefined : await parts.journal.acquire(site.target, LEASE_MS);
  if (lease === undefined) {
    for (const key of lost) removals.set(key, BUSY);
    return removals;
  }
  try {
    for (const key of lost) {
      if (site.signal?.aborted) break;
      try {
        const context = await contextFor(parts, lease, site, key);
        removals.set(key, await removeOne(context, site, key));
      } catch (thrown) {
        const error = asRotationError(thrown);
        removals.set(
          key,
          error.code === "busy" ? BUSY : { outcome: "failed", message: error.message, error },
        );
      }
    }
  } finally {
    await parts.journal.release(lease).catch(() => {});
  }
  return removals;
}

const BUSY: Removal = {
  outcome: "busy",
  message: "another process works on this secret; sweep again when it has ended",
};

async function removeOne(context: StepContext, site: RemovalSite, key: SweptKey): Promise<Removal> {
  const { parts, document, world } = context;
  const intent = document.intents[key.name];
  if (intent === undefined)
    throw new RotationError("conflict", `the journal no longer holds the name of key ${shortHash(key.hash)}`);
  const closed = gate(world, intent.field);
  if (closed) return { outcome: "kept", message: reasonOf(closed) };
  const holdings = await holdingsOf(parts, site.owner, site.target, site.places, document);
  const provider = site.providerOf(key);
  const there = await provider.get(key.hash);
  if (there === undefined) {
    await proveAbsence(context, key.hash, intent.field, provider);
    return { outcome: "gone", message: "it was gone already" };
  }
  if (there.name !== intent.name) return { outcome: "kept", message: "it bears another name now" };
  context.facts.skewMs[key.provider] = provider.skewMs();
  const skew = skewed(world, key.provider);
  if (skew !== undefined) return { outcome: "kept", message: skew };
  const { verdict, why } = judgeIntended(there, intent, document, holdings);
  if (verdict !== "lost") return { outcome: "kept", message: why };
  await context.commit("delete-sent", () => {}, {
    field: intent.field,
    data: { hash: key.hash, name: intent.name },
  });
  await deleteOrphan(context, key.hash, intent.name, intent.field, provider);
  parts.log("info", { key: key.key, target: site.target, reason: context.reason }, context.says);
  return { outcome: "deleted" };
}

function reasonOf(closed: NonNullable<ReturnType<typeof gate>>): string {
  if ("parked" in closed) return closed.parked.says;
  return "wait" in closed ? closed.wait.says : "not now";
}

/** A step of an operator's, on the journal as it is now. */
async function contextFor(
  parts: Parts,
  lease: Lease,
  { target, policies, owner, actor }: RemovalSite,
  key: SweptKey,
): Promise<StepContext> {
  const { document } = await parts.journal.read(target);
  const facts = new Facts();
  const now = parts.clock.now();
  const nothingAsked = { requests: [], mayStart: false, fraction: 0, failed: {} };
  const world: World = { now, target, owner, document, policies, ...nothingAsked, ...facts.known() };
  return new StepContext(parts, lease, facts, world, {
    reason: "orphan-found",
    says: `deletes key ${shortHash(key.hash)}, which bears a name of ours and whose plaintext was lost`,
    operator: actor,
  });
}
