import type { NoticeRecord } from "../document.ts";
import { afterTelling, type Told, withNotices } from "../outbox.ts";
import { seal, unseal } from "../seal.ts";
import type { Connection } from "./connection.ts";

/** Adds to a target's notices, within the caller's transaction. */
export function addNotices(connection: Connection, target: string, added: readonly NoticeRecord[]): void {
  if (added.length > 0) write(connection, target, withNotices(read(connection, target), added));
}

/** Notes who was told, within the caller's transaction. */
export function tellNotices(connection: Connection, target: string, told: readonly Told[]): void {
  write(connection, target, afterTelling(read(connection, target), told));
}

/** Every target's notices. */
export function keptNotices(connection: Connection): NoticeRecord[] {
  const rows = connection.sql("SELECT notices FROM outbox ORDER BY target").all();
  return rows.flatMap((row) => parsed(String(row.notices)));
}

function read(connection: Connection, target: string): NoticeRecord[] {
  const row = connection.sql("SELECT notices FROM outbox WHERE target = ?").get(target);
  return row === undefined ? [] : parsed(String(row.notices));
}

function write(connection: Connection, target: string, notices: readonly NoticeRecord[]): void {
  if (notices.length === 0) connection.sql("DELETE FROM outbox WHERE target = ?").run(target);
  else
    connection
      .sql("INSERT OR REPLACE INTO outbox (target, notices) VALUES (?, ?)")
      .run(target, seal(notices));
}

/** A list that is damaged counts as none: it must not keep a rotation from going on. */
function parsed(sealed: string): NoticeRecord[] {
  const text = unseal(sealed);
  return text === undefined ? [] : (JSON.parse(text) as NoticeRecord[]);
}
