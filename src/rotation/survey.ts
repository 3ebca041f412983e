import type { TargetDocument } from "../journal/document.ts";
import type { Journal } from "../journal/journal.ts";
import type { Clock } from "../lib/clock.ts";
import type { Owner } from "../lib/owner.ts";
import { decide } from "./decide.ts";
import { Facts } from "./observe.ts";
import type { KeyResult } from "./report.ts";
import { before, resultOf } from "./result.ts";
import { type Ground, type KeyPlace, placesByTarget } from "./targets.ts";

export interface SurveyParts {
  journal: Pick<Journal, "each">;
  clock: Clock;
  owner: Owner;
  /** The policy in force, which may become another while the journal is read. */
  ground: () => Ground;
  /** Whether due rotations may be started. */
  start: boolean;
  /** Targets that are left out: they are being worked on. */
  active: ReadonlySet<string>;
}

/** What one reading of the whole journal tells before a pass. */
export interface Survey {
  /** How the keys of targets with nothing to do came out. */
  idle: ReadonlyMap<KeyPlace, KeyResult>;
  /** Targets of keys that have left the policy and still have something in flight, or cannot be read. */
  leftovers: string[];
}

const NOTHING_KNOWN = new Facts();

/**
 * Finds the targets with nothing to do by one reading of the journal for all, however many there are.
 * Each is judged by {@link decide} as its own pass would judge it first, and what is not idle by that,
 * is asked for something, cannot be read or was never written is left to a pass.
 */
export async function survey(parts: SurveyParts): Promise<Survey> {
  const places = placesByTarget(parts.ground().places);
  const idle = new Map<KeyPlace, KeyResult>();
  const leftovers: string[] = [];
  await parts.journal.each((entry) => {
    const ofTarget = places.get(entry.target);
    if (ofTarget === undefined) {
      if ("error" in entry || inFlight(entry.document)) leftovers.push(entry.target);
      return;
    }
    if ("error" in entry || entry.asked || parts.active.has(entry.target)) return;
    const { target, document } = entry;
    if (!hasNothingToDo(parts, target, document)) return;
    for (const place of ofTarget) {
      const was = before(document, place.field);
      idle.set(place, resultOf(place, was, document, { end: "idle" }, undefined, false));
    }
  });
  return { idle, leftovers };
}

function hasNothingToDo(parts: SurveyParts, target: string, document: TargetDocument): boolean {
  const decision = decide({
    now: parts.clock.now(),
    target,
    owner: parts.owner,
    document,
    policies: parts.ground().targets.get(target) ?? {},
    requests: [],
    mayStart: parts.start,
    // Only what is written down depends on it, and nothing of this is.
    fraction: 0,
    ...NOTHING_KNOWN.known(),
    failed: {},
  });
  return "idle" in decision;
}

function inFlight(document: TargetDocument): boolean {
  return (
    document.rotation !== undefined ||
    document.walk !== undefined ||
    Object.values(document.issued).some((record) => record.retire !== undefined)
  );
}
