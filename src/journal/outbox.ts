import type { NoticeRecord } from "./document.ts";

/** Somebody has been told of a notice, or never will be. */
export interface Told {
  id: string;
  /** Ids of the destinations that are done with it. */
  by: readonly string[];
  /** Nobody else is to be told: it leaves. */
  last: boolean;
}

/** Of one target, so many notices wait at most, whatever becomes of their destinations. */
const MOST_NOTICES = 50;

/** Those that somebody must look at: they are kept longest, and the others yield to them. */
export function isAlarm({ event }: Pick<NoticeRecord, "event">): boolean {
  return event === "held" || event === "reverted" || event === "failed" || event === "overdue";
}

/**
 * A target's notices with more of them. Beyond what an outbox holds the oldest leave, those that
 * report progress first; the oldest that stays says how many have left since.
 */
export function withNotices(
  kept: readonly NoticeRecord[],
  added: readonly NoticeRecord[],
): readonly NoticeRecord[] {
  const known = new Set(kept.map(({ id }) => id));
  const notices = [...kept, ...added.filter(({ id }) => !known.has(id))];
  let omitted = 0;
  while (notices.length > MOST_NOTICES) {
    const progress = notices.findIndex((notice) => !isAlarm(notice));
    const [gone] = notices.splice(Math.max(progress, 0), 1);
    omitted += 1 + (gone?.omitted ?? 0);
  }
  const [oldest, ...rest] = notices;
  if (omitted === 0 || oldest === undefined) return notices;
  return [{ ...oldest, omitted: (oldest.omitted ?? 0) + omitted }, ...rest];
}

/** A target's notices after somebody was told; the same array where that changes nothing. */
export function afterTelling(kept: readonly NoticeRecord[], told: readonly Told[]): readonly NoticeRecord[] {
  const byId = new Map(told.map((one) => [one.id, one]));
  if (!kept.some(({ id }) => byId.has(id))) return kept;
  return kept.flatMap((notice) => {
    const one = byId.get(notice.id);
    if (one === undefined) return [notice];
    return one.last ? [] : [{ ...notice, told: [...new Set([...(notice.told ?? []), ...one.by])] }];
  });
}

/** Oldest first, of whatever targets. */
export function oldestFirst(notices: readonly NoticeRecord[]): NoticeRecord[] {
  return notices.toSorted((a, b) => a.at - b.at);
}
