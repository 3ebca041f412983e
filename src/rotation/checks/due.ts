import type { KeyRecord, PolicySnapshot, RequestRecord } from "../../journal/document.ts";
import type { KeyPolicy } from "../../policy/schema.ts";
import { computeDue, dueBasis } from "../../schedule/due.ts";
import { type Decision, patient, step } from "../step.ts";
import type { World } from "../world.ts";
import { gate } from "./common.ts";
import { expiresUntried } from "./expiring.ts";
import { block, identifyCurrent, startChecks } from "./start.ts";

/** What is due, or asked for, is started; what is not yet known is provisioned or adopted. */
export function checkDue(world: World): Decision | undefined {
  if (world.document.rotation) return undefined;
  let earliest: number | undefined;
  let other: Decision | undefined;
  for (const [field, snapshot] of mostUrgentFirst(world)) {
    const decision = patient(world, dueOf(world, field, snapshot));
    if ("step" in decision) return decision;
    if ("idle" in decision) earliest = Math.min(earliest ?? Infinity, decision.idle.until ?? Infinity);
    else other ??= decision;
  }
  return other ?? { idle: earliest === undefined || earliest === Infinity ? {} : { until: earliest } };
}

/** A key that expires comes before one that is merely due: a rotation of the other may be held, and keep it waiting. */
function mostUrgentFirst(world: World): [string, PolicySnapshot][] {
  const rank = (field: string) => (expiresUntried(world, field) ? 0 : 1);
  return Object.entries(world.policies).sort(([a], [b]) => rank(a) - rank(b));
}

function dueOf(world: World, field: string, snapshot: PolicySnapshot): Decision {
  const policy = snapshot.key;
  const record = world.document.keys[field];
  const request = world.requests.find((one) => one.kind === "rotate" && one.field === field);
  const requests = request ? [request.id] : [];
  if (!world.mayStart && !request) return { idle: {} };
  if (record && record.name !== policy.name && !policy.formerly.includes(record.name))
    return block(
      world,
      field,
      "renamed",
      requests,
      `this secret was kept by key "${record.name}"; if it was renamed, add \`formerly: [${record.name}]\``,
    );
  if (policy.suspend) {
    const says = "suspended in the policy (suspend: true)";
    return requests.length > 0
      ? block(world, field, "suspended", requests, says)
      : { parked: { reason: "suspended", says } };
  }
  if (record?.current === undefined)
    return (
      identifyCurrent(world, field, snapshot, requests) ??
      (record?.retry && request === undefined && world.now < record.retry.at
        ? { idle: { until: record.retry.at } }
        : startNow(world, field, snapshot, request, "has no key yet"))
    );
  const scheduled = reschedule(world, field, policy, record);
  if (scheduled) return scheduled;
  const why = request ? requestedBy(request) : dueNow(world, record);
  if (why !== undefined) return startNow(world, field, snapshot, request, why);
  if (record.blocked) return step({ note: "unblock", field }, "unblocked", "not blocked any more");
  return { idle: { until: record.retry?.at ?? record.due?.at } };
}

function requestedBy(request: RequestRecord): string {
  return `asked for by ${request.actor}`;
}

function startNow(
  world: World,
  field: string,
  snapshot: PolicySnapshot,
  request: RequestRecord | undefined,
  why: string,
): Decision {
  const closed = gate(world, field);
  if (closed) return closed;
  return startChecks(world, field, snapshot, {
    actor: request?.actor ?? "schedule",
    why,
    requests: request ? [request.id] : [],
  });
}

function dueNow(world: World, record: KeyRecord): string | undefined {
  if (record.retry)
    return world.now >= record.retry.at ? "tried again after a rotation that failed" : undefined;
  if (record.due === undefined || world.now < record.due.at) return undefined;
  return record.due.why === "expiry" ? "due because the key expires" : "due by the schedule";
}

/** Journals the next due instant when the policy or the key has changed; jitter is drawn once, with it. */
function reschedule(world: World, field: string, policy: KeyPolicy, record: KeyRecord): Decision | undefined {
  const current = record.current as NonNullable<KeyRecord["current"]>;
  const issued = world.document.issued[current.hash];
  const byAge =
    policy.schedule !== "none" && typeof policy.schedule === "object" && issued?.origin === "adopted";
  const issuedAt = byAge && (issued.createdAt ?? Infinity) <= current.since ? issued.createdAt : undefined;
  const input = {
    schedule: policy.schedule,
    timezone: policy.timezone,
    spread: policy.spread,
    renewBefore: policy.renewBefore,
    since: Math.max(issuedAt ?? current.since, record.served ?? 0),
    expiresAt: issued?.expiresAt,
    createdAt: issued?.createdAt,
    fraction: world.fraction,
  };
  if (record.due && dueBasis(input) === record.due.basis) return undefined;
  const due = computeDue(input);
  if (due === undefined && record.due === undefined) return undefined;
  const says = due ? `next due at ${new Date(due.at).toISOString()}` : "has no schedule";
  return step({ note: "schedule", field, due }, "scheduled", says);
}
