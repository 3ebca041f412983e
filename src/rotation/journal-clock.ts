import type { TargetDocument } from "../journal/document.ts";
import { SKEW_LIMIT_MS } from "./timing.ts";

/** Told of one instant of a document, and of the latest that it can be while clocks only go forward, in milliseconds from now. */
type Tell = (holder: Record<string, unknown>, name: string, ahead: number) => void;

/** Whether an instant in the journal lies further ahead than its own duration: the clock went back (R15). */
export function clockWentBack(document: TargetDocument, now: number): boolean {
  let ahead = false;
  eachInstant(document, (holder, name, duration) => {
    ahead ||= isAhead(holder[name], now + duration);
  });
  return ahead;
}

/** Makes every such instant count from now. */
export function setInstantsRight(draft: TargetDocument, now: number): void {
  eachInstant(draft, (holder, name, duration) => {
    if (isAhead(holder[name], now + duration)) holder[name] = now + duration;
  });
}

function isAhead(at: unknown, latest: number): boolean {
  return typeof at === "number" && at > latest;
}

/** Run at every look at a document, so it keeps no list of them. */
function eachInstant(document: TargetDocument, tell: Tell): void {
  const add = (holder: object | undefined, names: readonly string[], ahead = 0) => {
    if (holder === undefined) return;
    for (const name of names) tell(holder as Record<string, unknown>, name, ahead);
  };
  const { rotation } = document;
  add(rotation, ["startedAt", "phaseAt", "confirmingSince", "releasedAt"]);
  add(rotation?.usage, ["at"]);
  add(rotation?.hold, ["since"]);
  add(rotation?.failures, ["at"]);
  for (const reload of Object.values(rotation?.reloads ?? {})) add(reload, ["at"]);
  for (const key of Object.values(document.keys)) {
    add(key.current, ["since"]);
    // Less than this is a clock being set right, in which the instant served stays served.
    add(key, ["served"], SKEW_LIMIT_MS);
    add(key.leftBehind, ["since", "at"]);
    add(key.blocked, ["since"]);
    add(key.drift, ["at"]);
    add(key.last, ["at"]);
    add(key.retry, ["at"], key.policy?.key.retry.max);
  }
  for (const { disable, delete: gone, retire } of Object.values(document.issued)) {
    add(disable, ["sent", "acknowledged"]);
    add(gone, ["sent", "acknowledged"]);
    add(retire, ["since"]);
    add(retire, ["dueAt"], retire?.keepFor);
  }
  for (const intent of Object.values(document.intents)) add(intent, ["plannedAt", "sentAt", "deletedAt"]);
  add(document.walk, ["since"]);
}
