import type { RotationRecord } from "../../journal/document.ts";
import { type Decision, step } from "../step.ts";
import type { World } from "../world.ts";
import { expiryDue, gate } from "./common.ts";

/**
 * R5: a held rotation must not keep a current key of its secret from being replaced before it
 * expires, be it its own or another field's. It yields once: for its own key when it began before
 * that was due, for another when no rotation of that one has been tried since.
 */
export function yieldToExpiry(world: World, rotation: RotationRecord): Decision | undefined {
  const due = expiryOf(world, rotation.field);
  if (due !== undefined && rotation.startedAt < due && world.now >= due)
    return supersede("the current key nears its expiry");
  // A revocation must not be lost, and of another owner's secret no field can be rotated.
  const stays = rotation.kind === "revoke" || rotation.hold?.reason === "rival-owner";
  if (stays || !world.mayStart) return undefined;
  const other = Object.keys(world.policies).find(
    (field) => field !== rotation.field && expiresUntried(world, field),
  );
  if (other === undefined) return undefined;
  return supersede(`key "${world.policies[other]?.key.name}" of the same secret nears its expiry`);
}

function supersede(why: string): Decision {
  return step(
    { note: "supersede", why: `${why} while this rotation is held` },
    "held-expiring",
    `gives up the held rotation, because ${why}`,
  );
}

/** Whether a field's current key is due because it expires, may be replaced now, and was not tried to be since; one whose rotation failed is tried again after its backoff. */
export function expiresUntried(world: World, field: string): boolean {
  const due = expiryOf(world, field);
  if (due === undefined || world.now < due) return false;
  const { blocked, retry, last } = world.document.keys[field] ?? {};
  const tried = retry ? world.now < retry.at : last !== undefined && last.at >= due;
  return !blocked && !tried && gate(world, field) === undefined;
}

/** The instant from which a field's current key is due because it expires. */
function expiryOf(world: World, field: string): number | undefined {
  const current = world.document.keys[field]?.current;
  const record = current && world.document.issued[current.hash];
  const policy = world.policies[field]?.key;
  if (!record?.expiresAt || !policy) return undefined;
  return expiryDue({ ...record, createdAt: record.createdAt ?? current?.since }, policy);
}
