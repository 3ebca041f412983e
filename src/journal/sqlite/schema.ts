import { randomId } from "../../lib/random.ts";
import { APPLICATION_ID } from "./application.ts";
import type { Connection, Parts } from "./connection.ts";

/** One step forward of the schema. The step at index n takes a journal of version n to n + 1. */
export interface Migration {
  /** The release of keyturn that a journal needs after this step, for the message to an older one. */
  since: string;
  /** Runs within a transaction of its own. */
  up(connection: Connection, parts: Parts): void;
}

const TABLES = `
  PRAGMA application_id = ${APPLICATION_ID};

  CREATE TABLE meta (
    id      TEXT NOT NULL,
    created INTEGER NOT NULL,
    needs   TEXT NOT NULL
  ) STRICT;

  -- A target that was leased and never written has no document. Instants in epoch milliseconds.
  CREATE TABLE targets (
    target   TEXT PRIMARY KEY,
    document TEXT,
    holder   TEXT,
    epoch    INTEGER NOT NULL DEFAULT 0,
    until    INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE hashes (
    hash   TEXT PRIMARY KEY,
    target TEXT NOT NULL REFERENCES targets (target)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX hashes_by_target ON hashes (target);

  CREATE TABLE requests (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    id      TEXT NOT NULL UNIQUE,
    target  TEXT NOT NULL,
    request TEXT NOT NULL
  ) STRICT;
  CREATE INDEX requests_by_target ON requests (target);

  CREATE TABLE events (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    at       INTEGER NOT NULL,
    target   TEXT NOT NULL,
    key      TEXT NOT NULL,
    rotation TEXT,
    epoch    INTEGER NOT NULL,
    actor    TEXT NOT NULL,
    kind     TEXT NOT NULL,
    reason   TEXT NOT NULL,
    message  TEXT NOT NULL,
    data     TEXT
  ) STRICT;
  CREATE INDEX events_by_key ON events (key);
  CREATE INDEX events_by_target ON events (target);
  CREATE INDEX events_by_rotation ON events (rotation) WHERE rotation IS NOT NULL;

  CREATE TRIGGER events_stay_as_written BEFORE UPDATE ON events
    BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
  CREATE TRIGGER events_stay BEFORE DELETE ON events
    BEGIN SELECT raise(ABORT, 'the event log is append-only'); END;
`;

/** Every step there ever was, in order; one that was released is never changed. */
export const MIGRATIONS: readonly Migration[] = [
  {
    since: "0.1.0",
    up: (connection, { clock, random }) => {
      connection.exec(TABLES);
      connection
        .sql("INSERT INTO meta (id, created, needs) VALUES (?, ?, '')")
        .run(randomId(random, 16), clock.now());
    },
  },
  {
    since: "0.1.0",
    // By target, the notices that nobody has taken yet, as one sealed list.
    up: (connection) =>
      connection.exec("CREATE TABLE outbox (target TEXT PRIMARY KEY, notices TEXT NOT NULL) STRICT"),
  },
];
