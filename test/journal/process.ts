import { emptyDocument } from "../../src/journal/document.ts";
import type { Journal, Lease } from "../../src/journal/journal.ts";
import { openSqliteJournal } from "../../src/journal/sqlite/open.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { RotationError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";

/** A process of its own with the journal open; does what it is told over IPC, answering each command. */
export type Command =
  | { do: "open"; path: string }
  | { do: "acquire"; targets: string[]; ttlMs: number }
  | { do: "commit"; target: string };
export type Answer = { leases?: Lease[]; id?: string; error?: string };

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
  const lease = held.get(command.target);
  if (lease === undefined) return { error: "no lease" };
  const document = emptyDocument();
  document.issued[`hash of ${command.target}`] = {
    hash: `hash of ${command.target}`,
    field: "",
    provider: "openrouter",
    origin: "issued",
  };
  await journal.commit(lease, { document, events: [] });
  return {};
}

process.on("message", (command: Command) => {
  obey(command)
    .catch((thrown: RotationError): Answer => ({ error: thrown.code }))
    .then((answer) => process.send?.(answer));
});
