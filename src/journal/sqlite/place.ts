import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Archive, contentDigest, ordered } from "../archive.ts";
import type { JournalPlace } from "../place.ts";
import { leaseHeld, noJournal, notEmpty } from "../place.ts";
import { seal } from "../seal.ts";
import { APPLICATION_ID, MOVED_ID } from "./application.ts";
import type { Connection, Parts } from "./connection.ts";
import { insertEvent, selectEvents } from "./events.ts";
import { documentOf, requestOf } from "./journal.ts";
import { isAlive } from "./liveness.ts";
import { journalId, openConnection } from "./open.ts";
import { addNotices, keptNotices } from "./outbox.ts";

/** The journal file at `path`. Each change of it here is one transaction. */
export function sqlitePlace(path: string, parts: Parts): JournalPlace {
  const file = resolve(path);
  const name = `journal ${file}`;

  const using = async <T>(work: (connection: Connection) => Promise<T>): Promise<T> => {
    const connection = await openConnection(file, { ...parts, evenMoved: true });
    try {
      return await work(connection);
    } finally {
      connection.close();
    }
  };
  const requireThere = () => {
    if (!existsSync(file)) throw noJournal(name);
  };
  const refuseLeases = (connection: Connection) => {
    const held = connection.sql("SELECT target, holder FROM targets WHERE holder IS NOT NULL AND until > ?");
    for (const { target, holder } of held.all(parts.clock.now()))
      if (isAlive(`${file}.holders`, String(holder))) throw leaseHeld(name, String(target));
  };

  return {
    name,

    async read() {
      requireThere();
      return await using(async (connection) => {
        const id = await journalId(connection);
        return await connection.write(() => archived(connection, id));
      });
    },

    async moveAway() {
      requireThere();
      await using(async (connection) => {
        const id = await journalId(connection);
        await connection.write(() => {
          refuseLeases(connection);
          archived(connection, id);
          connection.exec(`PRAGMA application_id = ${MOVED_ID}`);
        });
      });
    },

    fill: (archive) =>
      using(async (connection) => {
        const id = await journalId(connection);
        return await connection.write(() => {
          refuseLeases(connection);
          const events = archive.events.length;
          if (isMoved(connection) && contentDigest(archived(connection, id)) === contentDigest(archive)) {
            connection.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
            return { events, returned: true };
          }
          if (!isEmpty(connection) || isMoved(connection))
            throw notEmpty(name, `move the file away, with ${file}-wal and ${file}-shm, and try again`);
          insert(connection, archive);
          return { events, returned: false };
        });
      }),
  };
}

function isMoved(connection: Connection): boolean {
  return connection.sql("PRAGMA application_id").get()?.application_id === MOVED_ID;
}

/** Targets that were only leased hold nothing. */
function isEmpty(connection: Connection): boolean {
  return ["targets WHERE document IS NOT NULL", "requests", "events"].every(
    (rows) => connection.sql(`SELECT 1 FROM ${rows} LIMIT 1`).get() === undefined,
  );
}

function archived(connection: Connection, id: string): Archive {
  const targets = connection
    .sql("SELECT target, epoch, document FROM targets WHERE document IS NOT NULL")
    .all();
  const requests = connection.sql("SELECT target, request FROM requests ORDER BY seq").all();
  return ordered({
    id,
    targets: targets.map(({ target, epoch, document }) => ({
      target: String(target),
      epoch: Number(epoch),
      document: documentOf(String(target), String(document)),
    })),
    requests: requests.map(({ target, request }) => requestOf(String(target), String(request))),
    notices: keptNotices(connection),
    events: selectEvents(connection, {}),
  });
}

function insert(connection: Connection, { id, targets, requests, notices, events }: Archive): void {
  connection.exec("DELETE FROM targets");
  connection.sql("UPDATE meta SET id = ?").run(id);
  for (const { target, epoch, document } of targets) {
    connection
      .sql("INSERT INTO targets (target, document, epoch) VALUES (?, ?, ?)")
      .run(target, seal(document), epoch);
    for (const hash of Object.keys(document.issued))
      connection.sql("INSERT INTO hashes (hash, target) VALUES (?, ?)").run(hash, target);
  }
  for (const request of requests) {
    connection
      .sql("INSERT INTO requests (id, target, request) VALUES (?, ?, ?)")
      .run(request.id, request.target, seal(request));
  }
  for (const notice of notices) addNotices(connection, notice.target, [notice]);
  for (const event of events) insertEvent(connection, event);
}
