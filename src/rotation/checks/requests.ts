import type { IssuedRecord, RequestRecord, RotationRecord } from "../../journal/document.ts";
import { sameOwner } from "../../lib/owner.ts";
import { shortHash } from "../names.ts";
import { mayBePromoted } from "../phase.ts";
import { type Decision, patient, step } from "../step.ts";
import type { World } from "../world.ts";
import { mayReturn, needStore, snapshotFor } from "./common.ts";
import { identifyCurrent } from "./start.ts";

/** Operators' requests, oldest first. A `rotate` with nothing open is left to the start checks. */
export function checkRequests(world: World): Decision | undefined {
  let waiting: Decision | undefined;
  for (const request of world.requests) {
    const next = answer(world, request);
    const decision = next && patient(world, next);
    if (decision && "step" in decision) return decision;
    waiting ??= decision;
  }
  return waiting;
}

function answer(world: World, request: RequestRecord): Decision | undefined {
  const open = world.document.rotation;
  const mine = open?.field === request.field ? open : undefined;
  switch (request.kind) {
    case "rotate":
      return rotate(world, request, mine);
    case "approve":
      return approve(request, mine);
    case "rollback":
      return rollback(world, request, mine, open !== undefined && mine === undefined);
    case "revoke":
      return revoke(world, request);
    case "take-over":
      return takeOver(world, request);
  }
}

function refuse(request: RequestRecord, says: string): Decision {
  return step(
    { note: "answer", field: request.field, refused: true, requests: [request.id] },
    "refused",
    says,
  );
}

function accept(request: RequestRecord, says: string): Decision {
  return step(
    { note: "answer", field: request.field, refused: false, requests: [request.id] },
    "answered",
    says,
  );
}

/** Reasons for which going back is held until a new key takes the place of both. */
const NO_WAY_BACK = ["old-key-gone", "old-key-refused"];

function rotate(
  world: World,
  request: RequestRecord,
  mine: RotationRecord | undefined,
): Decision | undefined {
  if (mine?.hold && NO_WAY_BACK.includes(mine.hold.reason))
    return step(
      { note: "supersede", why: `the old key cannot come back, and ${request.actor} asks for a new one` },
      "rotate-instead",
      `gives up going back, and issues a new key, as ${request.actor} asks`,
    );
  if (mine?.hold)
    return step(
      { note: "release", why: `asked for by ${request.actor}`, requests: [request.id] },
      "released",
      `goes on with the held rotation, as ${request.actor} asks`,
    );
  if (mine) return accept(request, "carries on with the rotation in flight");
  if (world.policies[request.field] === undefined)
    return refuse(request, "the policy has no such key any more");
  return undefined;
}

function approve(request: RequestRecord, mine: RotationRecord | undefined): Decision {
  if (mine?.hold === undefined) return refuse(request, "nothing is held, so there is nothing to approve");
  if (mine.hold.reason === "foreign-current")
    return step(
      {
        note: "supersede",
        why: `${request.actor} accepts the value that someone else wrote`,
        requests: [request.id],
      },
      "approved-foreign",
      "ends the rotation and leaves the value that someone else wrote",
    );
  const waive = request.without === undefined ? [] : [request.without];
  const without = request.without === undefined ? "" : ` without ${request.without}`;
  return step(
    { note: "release", why: `approved by ${request.actor}${without}`, waive, requests: [request.id] },
    "approved",
    `goes on${without}, as ${request.actor} approves`,
  );
}

function rollback(
  world: World,
  request: RequestRecord,
  mine: RotationRecord | undefined,
  otherOpen: boolean,
): Decision | undefined {
  if (otherOpen) return undefined;
  if (mine) return rollbackOpen(world, request, mine);
  const candidate = previousKey(world, request.field);
  if (candidate === undefined)
    return refuse(
      request,
      "the previous key is deleted, so there is nothing to roll back to; `rotate --now` replaces the current key",
    );
  const policy = snapshotFor(world, request.field)?.key;
  const clean = policy !== undefined && mayReturn(world, candidate, policy);
  return step(
    {
      note: "start",
      field: request.field,
      kind: clean ? "rollback" : "rotate",
      actor: request.actor,
      why: `rollback asked for by ${request.actor}`,
      requests: [request.id],
      ...(clean ? { target: candidate.hash } : {}),
    },
    clean ? "rollback" : "rollback-mints",
    clean
      ? `goes back to key ${shortHash(candidate.hash)}`
      : `issues a new key, because key ${shortHash(candidate.hash)} may be disabled, or expires soon`,
  );
}

function rollbackOpen(world: World, request: RequestRecord, mine: RotationRecord): Decision {
  if (mine.kind === "revoke")
    return refuse(request, "the previous key is revoked, so there is no going back to it");
  if (mine.phase === "reverting")
    return mine.hold
      ? step(
          { note: "release", why: `asked for by ${request.actor}`, requests: [request.id] },
          "released",
          "goes on going back",
        )
      : accept(request, "is going back already");
  if (mine.old === undefined)
    return refuse(request, "this is the secret's first key, so there is nothing to go back to");
  if (!mayBePromoted(mine.phase))
    return step(
      {
        note: "fail",
        message: `rolled back by ${request.actor} before anything was promoted`,
        requests: [request.id],
      },
      "rollback-early",
      "gives up the new key; the old one was never replaced",
    );
  if (!mayReturn(world, world.document.issued[mine.old.hash], mine.policy.key))
    return step(
      { note: "supersede", why: "the old key cannot become current again; a new one is issued" },
      "rollback-mints",
      "ends the rotation, because the old key may be disabled, or expires soon; a new key is issued",
    );
  return step(
    { note: "revert", why: `rollback asked for by ${request.actor}`, asked: true, requests: [request.id] },
    "rollback",
    `goes back to key ${shortHash(mine.old.hash)}`,
  );
}

/** The newest key on its way out whose plaintext the store still keeps. */
function previousKey(world: World, field: string): IssuedRecord | undefined {
  return Object.values(world.document.issued)
    .filter(
      (record) =>
        record.field === field &&
        record.retire !== undefined &&
        record.mayBeCurrent &&
        !record.distrusted &&
        record.version !== undefined &&
        record.delete?.acknowledged === undefined,
    )
    .sort((a, b) => (b.retire?.since ?? 0) - (a.retire?.since ?? 0))[0];
}

function revoke(world: World, request: RequestRecord): Decision | undefined {
  const snapshot = world.policies[request.field];
  if (snapshot === undefined) return refuse(request, "the policy has no such key any more");
  if (world.document.rotation && world.document.rotation.field !== request.field && !request.immediately)
    return undefined;
  if (world.document.keys[request.field]?.current === undefined) {
    const identified = identifyCurrent(world, request.field, snapshot, [request.id]);
    if (identified) return identified;
    if (world.document.keys[request.field]?.current === undefined)
      return refuse(request, "there is no current key to revoke");
  }
  return step(
    {
      note: "distrust",
      field: request.field,
      requests: [request.id],
      actor: request.actor,
      immediately: request.immediately ?? false,
    },
    "revoke",
    `distrusts every key issued until now and issues a new one, as ${request.actor} asks`,
  );
}

function takeOver(world: World, request: RequestRecord): Decision {
  const store = needStore(world, request.field);
  if ("decision" in store) return store.decision;
  const { owner } = store.fact.value;
  if (owner !== undefined && sameOwner(owner, world.owner)) return accept(request, "is the owner already");
  return step(
    { effect: "claim", field: request.field, takeOver: true, requests: [request.id] },
    "take-over",
    owner
      ? `takes the secret over from installation "${owner.installation}"`
      : "stamps our name beside the secret",
  );
}
