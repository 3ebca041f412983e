import type { SQLOutputValue } from "node:sqlite";
import type { EventRecord, NewEvent } from "../document.ts";
import type { HistoryFilter } from "../journal.ts";
import type { Connection } from "./connection.ts";

/** Appends one event to the log, within the caller's transaction. */
export function appendEvent(connection: Connection, target: string, epoch: number, event: NewEvent): void {
  insertEvent(connection, { ...event, target, epoch });
}

/** The same with a number that it has had elsewhere; the log goes on after the greatest. */
export function insertEvent(
  connection: Connection,
  event: Omit<EventRecord, "seq"> & { seq?: number },
): void {
  connection
    .sql(
      `INSERT INTO events (seq, at, target, key, rotation, epoch, actor, kind, reason, message, data)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      event.seq ?? null,
      event.at,
      event.target,
      event.key,
      event.rotation ?? null,
      event.epoch,
      event.actor,
      event.kind,
      event.reason,
      event.message,
      event.data === undefined ? null : JSON.stringify(event.data),
    );
}

/** The newest `limit` events that match, oldest first. */
export function selectEvents(connection: Connection, filter: HistoryFilter): EventRecord[] {
  const conditions: [string, string | number | undefined][] = [
    ["key = ?", filter.key],
    ["rotation = ?", filter.rotation],
    ["target = ?", filter.target],
    ["seq > ?", filter.afterSeq],
  ];
  const asked = conditions.filter(
    (condition): condition is [string, string | number] => condition[1] !== undefined,
  );
  const where = asked.length === 0 ? "" : `WHERE ${asked.map(([sql]) => sql).join(" AND ")}`;
  return connection
    .sql(`SELECT * FROM events ${where} ORDER BY seq DESC LIMIT ?`)
    .all(...asked.map(([, value]) => value), filter.limit ?? -1)
    .map(eventOf)
    .reverse();
}

function eventOf(row: Record<string, SQLOutputValue>): EventRecord {
  return {
    seq: Number(row.seq),
    at: Number(row.at),
    target: String(row.target),
    key: String(row.key),
    ...(row.rotation === null ? {} : { rotation: String(row.rotation) }),
    epoch: Number(row.epoch),
    actor: String(row.actor),
    kind: String(row.kind),
    reason: String(row.reason),
    message: String(row.message),
    ...(row.data === null ? {} : { data: dataOf(String(row.data)) }),
  };
}

/** Facts that are damaged are shown as they stand: the log is for people, and one event must not hide the others. */
function dataOf(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { damaged: text };
  }
}
