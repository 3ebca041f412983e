import type { Journal, Lease } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { RotationError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { documentWith, eventOf } from "./content.ts";

/** A process of its own with the journal open; does what it is told over IPC, answering each command. */
export type Command =
  | { do: "open"; path: string }
  | { do: "acquire"; targets: string[]; ttlMs: number }
  | { do: "commit"; target: string }
  /** So many times, for every target at once, and says of each commit when it is done. */
  | { do: "commit all"; rounds: number };
export type Answer = { leases?: Lease[]; id?: string; error?: string };
/** A commit that is done; `round` is the kind of its event. */
export type Committed = { target: string; round: string };

let journal: Journal;
const held = new Map<string, Lease>();

async function obey(command: Command): Promise<Answer> {
  if (command.do === "open") {
    journal = await openSqliteJournal(command.path, { clock: systemClock, random: systemRandom });
    return { id: journal.id };
  }
  if (command.do === "acquire") {
    for (const target of command.targets) {
      const lease = await journal.acquire(target, command.ttlMs);
      if (lease) held.set(target, lease);
    }
    return { leases: [...held.values()] };
  }
  if (command.do === "commit all") {
    for (let round = 0; round < command.rounds; round += 1)
      await Promise.all([...held.values()].map((lease) => commitRound(lease, `${round}`)));
    return {};
  }
  const lease = held.get(command.target);
  if (lease === undefined) return { error: "no lease" };
  await journal.commit(lease, { document: documentWith(`hash of ${command.target}`), events: [] });
  return {};
}

async function commitRound(lease: Lease, round: string): Promise<void> {
  const { target } = lease;
  await journal.commit(lease, { document: documentWith(`${target} ${round}`), events: [eventOf(round)] });
  process.send?.({ target, round } satisfies Committed);
}

process.on("message", (command: Command) => {
  obey(command)
    .catch((thrown: RotationError): Answer => ({ error: thrown.code }))
    .then((answer) => process.send?.(answer));
});
