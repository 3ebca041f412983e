import type { EventRecord } from "../document.ts";
import type { HistoryFilter } from "../journal.ts";

/** How many of a target's events are kept, and how many bytes of them: the newest. The log and the Kubernetes Events have them all. */
const MOST_EVENTS = 500;
const MOST_BYTES = 256 * 1024;
/** An event with more facts than this, in bytes, is kept without them. */
const LARGEST_EVENT = 16 * 1024;

/** An event as its target's ConfigMap keeps it. */
function eventLine({ target: _, ...event }: EventRecord): string {
  const line = JSON.stringify(event);
  if (Buffer.byteLength(line) <= LARGEST_EVENT) return line;
  return JSON.stringify({ ...event, data: { omitted: "more than a ConfigMap should hold; the log has it" } });
}

/** A log with more events at its end. */
export function appended(log: string, events: readonly EventRecord[]): string {
  // Its last line may have been left without an end by hand.
  const lines = log === "" || log.endsWith("\n") ? log : `${log}\n`;
  return lines + events.map((event) => `${eventLine(event)}\n`).join("");
}

/** The lines of a log, oldest first. */
export function linesOf(log: string): string[] {
  return log.split("\n").filter(Boolean);
}

/** A log as long as it fits into `room` bytes, and into what a log may take; else the newest of it that does. */
export function compact(log: string, room = MOST_BYTES): string {
  const most = Math.min(room, MOST_BYTES);
  if (Buffer.byteLength(log) <= most && hasAtMost(MOST_EVENTS, log)) return log;
  return newest(linesOf(log), most)
    .map((line) => `${line}\n`)
    .join("");
}

function hasAtMost(lines: number, log: string): boolean {
  let count = 0;
  for (let end = log.indexOf("\n"); end >= 0 && count <= lines; end = log.indexOf("\n", end + 1)) count += 1;
  return count <= lines;
}

function newest(lines: readonly string[], room: number): string[] {
  let left = room;
  const kept: string[] = [];
  for (const line of lines.toReversed()) {
    left -= Buffer.byteLength(line) + 1;
    if (left < 0 || kept.length === MOST_EVENTS) break;
    kept.push(line);
  }
  return kept.reverse();
}

/** The events of a log. One that cannot be read is shown as it stands: it must not hide the others. */
export function parseEvents(target: string, log: string): EventRecord[] {
  let before = { seq: 0, at: 0 };
  return linesOf(log).map((line) => {
    const { seq, at, ...rest } = parsed(line) ?? { ...before, ...UNREADABLE, data: { damaged: line } };
    before = { seq, at };
    return { seq, at, target, ...rest };
  });
}

/** The kind of an event that was edited and cannot be read. */
export const DAMAGED = "damaged";
const UNREADABLE = {
  key: "",
  epoch: 0,
  actor: "",
  kind: DAMAGED,
  reason: DAMAGED,
  message: "an event of the log that was edited and cannot be read",
};

function parsed(line: string): Omit<EventRecord, "target"> | undefined {
  try {
    const event = JSON.parse(line) as Partial<EventRecord> | null;
    const sound =
      Number.isInteger(event?.seq) &&
      Number.isFinite(event?.at) &&
      Number.isInteger(event?.epoch) &&
      [event?.key, event?.actor, event?.kind, event?.reason, event?.message].every(
        (text) => typeof text === "string",
      );
    return sound ? (event as EventRecord) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Events of several targets as one history. The numbers grow within a target; between targets the
 * instants decide, where a clock that went back never turns a target's own order around.
 */
export function mergeEvents(logs: readonly (readonly EventRecord[])[]): EventRecord[] {
  const placed = logs.flatMap((log) => {
    let latest = Number.NEGATIVE_INFINITY;
    return log.map((event) => {
      latest = Math.max(latest, event.at);
      return { event, latest };
    });
  });
  return placed.sort((a, b) => a.latest - b.latest || a.event.seq - b.event.seq).map(({ event }) => event);
}

/** The events of a merged history that a filter asks for. */
export function chosen(
  history: readonly EventRecord[],
  { key, rotation, target, afterSeq, limit }: HistoryFilter,
): EventRecord[] {
  const last = history.findIndex(({ seq }) => seq === afterSeq);
  const events = history.filter(
    (event, index) =>
      (key === undefined || event.key === key) &&
      (rotation === undefined || event.rotation === rotation) &&
      (target === undefined || event.target === target) &&
      (afterSeq === undefined || (last < 0 ? event.seq > afterSeq : index > last)),
  );
  return limit === undefined ? events : events.slice(Math.max(0, events.length - limit));
}
