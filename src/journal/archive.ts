import { createHash } from "node:crypto";
import type { EventRecord, NoticeRecord, RequestRecord, TargetDocument } from "./document.ts";
import { oldestFirst } from "./outbox.ts";

/** All that a journal holds, to be brought to another place. No key is in it. */
export interface Archive {
  id: string;
  targets: ArchivedTarget[];
  /** Not yet answered; those of one target oldest first. */
  requests: RequestRecord[];
  /** Not yet taken by everybody. One that is too old when it comes to be sent is not. */
  notices: NoticeRecord[];
  events: EventRecord[];
}

export interface ArchivedTarget {
  target: string;
  /** Of its newest lease; the next one is greater. */
  epoch: number;
  document: TargetDocument;
}

/** The archive in one order, whatever its source had. */
export function ordered({ id, targets, requests, notices, events }: Archive): Archive {
  const by = (a: { target: string }, b: { target: string }) =>
    a.target < b.target ? -1 : Number(a.target > b.target);
  return {
    id,
    targets: targets.toSorted(by),
    requests: requests.toSorted(by),
    notices: oldestFirst(notices).toSorted(by),
    events: events.toSorted((a, b) => a.seq - b.seq),
  };
}

/** Every target that the archive has anything of. */
export function targetsOf({ targets, requests, notices, events }: Archive): string[] {
  return [...new Set([...targets, ...requests, ...notices, ...events].map(({ target }) => target))].sort();
}

/** A line for each part of an archive, without the first and the last of the file. */
export function contentLines(archive: Archive): string[] {
  const { targets, requests, notices, events } = ordered(archive);
  return [
    ...targets.map(({ target, epoch, document }) => JSON.stringify({ target, epoch, document })),
    ...requests.map((request) => JSON.stringify({ request })),
    ...notices.map((notice) => JSON.stringify({ notice })),
    ...events.map((event) => JSON.stringify({ event })),
  ];
}

/** Equal for archives of the same journal with the same content. */
export function contentDigest(archive: Archive): string {
  const digest = createHash("sha256").update(archive.id);
  for (const line of contentLines(archive)) digest.update(`\n${line}`);
  return `sha256:${digest.digest("hex")}`;
}
