import { type Archive, ordered } from "../archive.ts";
import type { Lease } from "../journal.ts";
import type { JournalPlace } from "../place.ts";
import { leaseHeld, noJournal } from "../place.ts";
import { requireLease } from "../rules.ts";
import { documentOf, type Entry, readEntry, writeEntry } from "./entry.ts";
import { DAMAGED, parseEvents } from "./event-lines.ts";
import { fillPlace } from "./fill.ts";
import { Leases } from "./leases.ts";
import { type JournalConfig, objectName } from "./names.ts";
import { Objects } from "./objects.ts";
import { journalParts, type KubernetesParts } from "./open.ts";
import { persist } from "./persist.ts";
import { edited, type Root, readRoot, refuseUnused, writeRoot } from "./root.ts";

/** How long the leases are held while a journal is moved away, in milliseconds. */
const HOLD_MS = 60_000;

/** The journal of this name in its namespace. */
export function kubernetesPlace(config: JournalConfig, parts: KubernetesParts): JournalPlace {
  const objects = new Objects(parts.kube, config);
  const name = objects.journalName();

  const found = async () => {
    const { root, object } = await readRoot(objects);
    if (root === undefined) throw noJournal(name);
    if (root.importing !== undefined) refuseUnused(objects, root);
    return { root, object };
  };
  const read = async () => archived(objects, (await found()).root);

  return {
    name,
    read,

    async moveAway() {
      await read();
      const leases = new Leases(await journalParts(objects, parts, parts.log));
      const held = new Map<string, Lease | undefined>();
      try {
        const targets = await persist(name, parts, async () => {
          const { root, object } = await found();
          for (const target of root.targets)
            if (!held.has(target)) held.set(target, await leaseOf(objects, leases, root.id, target));
          // From here on nobody opens it, and no target joins it.
          if (!root.moved) await writeRoot(objects, object, { ...root, moved: true });
          return root;
        });
        for (const target of targets.targets) {
          await persist(name, parts, async () => {
            const entry = await entryOf(objects, targets.id, target);
            if (entry.state.moved) return;
            const lease = held.get(target);
            if (lease) requireLease(lease, { ...entry.state, until: 0 });
            await writeEntry(objects, { ...entry, state: { ...entry.state, moved: true } });
          });
        }
      } finally {
        await leases.releaseAll();
      }
    },

    async fill(archive) {
      const leases = new Leases(await journalParts(objects, parts, parts.log));
      return await fillPlace({ ...parts, objects, leases, read }, archive);
    },
  };
}

/** The lease of a target that is to be moved away; undefined when it was already. */
async function leaseOf(
  objects: Objects,
  leases: Leases,
  id: string,
  target: string,
): Promise<Lease | undefined> {
  if ((await entryOf(objects, id, target)).state.moved) return undefined;
  const lease = await leases.acquire(target, HOLD_MS, () => entryOf(objects, id, target));
  if (lease === undefined) throw leaseHeld(objects.journalName(), target);
  return lease;
}

async function archived(objects: Objects, { id, targets }: Root): Promise<Archive> {
  const archive: Archive = { id, targets: [], requests: [], notices: [], events: [] };
  for (const target of targets) {
    const entry = await entryOf(objects, id, target);
    const document = documentOf(entry);
    if (entry.document !== undefined) archive.targets.push({ target, epoch: entry.state.epoch, document });
    archive.requests.push(...entry.state.requests);
    archive.notices.push(...(entry.state.notices ?? []));
    archive.events.push(...parseEvents(target, entry.events).filter(({ kind }) => kind !== DAMAGED));
  }
  return ordered(archive);
}

/** The entry of a target that the root lists. */
async function entryOf(objects: Objects, id: string, target: string): Promise<Entry> {
  const { entry } = await readEntry(objects, id, target);
  if (entry) return entry;
  const where = objects.said("ConfigMap", objectName(objects.config.name, target));
  throw edited(`the journal's entry for ${target} is gone: ${where}`, "restore it from a copy");
}
