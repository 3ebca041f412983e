import type { NoticeRecord } from "../journal/document.ts";
import { redact } from "../lib/redact.ts";
import type { KeyResult } from "../rotation/report.ts";
import type { NoticeBody, PassBody } from "./schema.ts";

/** What a notice says to a webhook. Of the journal's own: nothing. */
export function noticeBody(notice: NoticeRecord): NoticeBody {
  const { startedAt, deleteAt, retryAt, dueAt } = notice;
  return {
    version: 1,
    id: notice.id,
    event: notice.event,
    at: iso(notice.at),
    installation: notice.installation,
    key: notice.key,
    provider: notice.provider,
    ...given({ rotation: notice.rotation, kind: notice.kind, phase: notice.phase }),
    actor: notice.actor,
    reason: notice.reason,
    message: redact(notice.message),
    ...given({
      hint: notice.hint && redact(notice.hint),
      startedAt: startedAt && iso(startedAt),
      oldHash: notice.oldHash,
      newHash: notice.newHash,
      deleteAt: deleteAt && iso(deleteAt),
      retryAt: retryAt && iso(retryAt),
      dueAt: dueAt && iso(dueAt),
      omitted: notice.omitted,
    }),
  };
}

/** How a pass went; none where it could work on no key. */
export function passBody(
  { id, at, installation }: { id: string; at: number; installation: string },
  results: readonly KeyResult[],
): PassBody | undefined {
  if (results.length > 0 && results.every(brokeOff)) return undefined;
  const outcomes: PassBody["outcomes"] = {};
  for (const { outcome } of results) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  return {
    version: 1,
    id,
    event: "pass",
    at: iso(at),
    installation,
    keys: results.length,
    outcomes,
  };
}

/** The pass could not even look at it: no rotation of it failed. */
function brokeOff({ outcome, code, rotation }: KeyResult): boolean {
  return outcome === "failed" && code !== undefined && rotation === undefined;
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined | 0 | ""> };

/** Without what is not known. */
function given<T extends object>(fields: T): Given<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value)) as Given<T>;
}
