import { type Archive, contentDigest, targetsOf } from "../archive.ts";
import { type Filled, leaseHeld, notEmpty } from "../place.ts";
import { contentOf, type Entry, keptDocument, newEntry, readEntry, writeEntry } from "./entry.ts";
import { appended, linesOf } from "./event-lines.ts";
import type { Leases } from "./leases.ts";
import { JOURNAL_LABEL } from "./names.ts";
import type { Objects } from "./objects.ts";
import { type Outside, persist } from "./persist.ts";
import { newRoot, type Root, readRoot, refuseUnused, requireRoot, sealedRoot, writeRoot } from "./root.ts";

export interface FillParts extends Outside {
  objects: Objects;
  leases: Leases;
  /** All that the journal holds now. */
  read(): Promise<Archive>;
}

/**
 * Brings an archive into a journal's objects. The root is marked first, so that nobody uses what is
 * half there, then each entry is written, and at last the root as it is to be. Whoever is killed in
 * between can begin anew with the same archive; with no other, which would be mixed with it.
 */
export async function fillPlace(parts: FillParts, archive: Archive): Promise<Filled> {
  const { objects, clock } = parts;
  const digest = contentDigest(archive);
  const targets = targetsOf(archive);
  const entries = targets.map((target) => entryOf(archive, target));
  const events = entries.reduce(
    (count, entry) => count + linesOf(contentOf(objects, entry).events).length,
    0,
  );
  const whole = rootOf(archive, targets, clock.now());
  sealedRoot(objects, whole);

  const begun = await persist(objects.journalName(), parts, async () => {
    const { root, object } = await readRoot(objects);
    if (root?.moved && contentDigest(await parts.read()) === digest) return "returns";
    if (root?.importing === digest) return "goes on";
    if (root?.importing !== undefined) refuseUnused(objects, root);
    if (root?.moved || (root?.targets.size ?? 0) > 0) throw notEmpty(objects.journalName(), remedy(objects));
    for (const target of targets) await requireFree(parts, target);
    await writeRoot(objects, object, { ...newRoot(archive.id, clock.now()), importing: digest });
    return "begins";
  });
  if (begun === "returns") await bringBack(parts, targets);
  else for (const entry of entries) await put(parts, entry, digest);
  await persist(objects.journalName(), parts, async () => {
    const { root, object } = await readRoot(objects);
    if (root?.importing === digest) await writeRoot(objects, object, whole);
    else if (begun === "returns" && root?.moved) {
      const { moved: _, ...back } = root;
      await writeRoot(objects, object, back);
    } else await requireRoot(objects, archive.id);
  });
  return { events, returned: begun === "returns" };
}

function entryOf({ id, targets, requests, notices, events }: Archive, target: string): Entry {
  const blank = newEntry(id, target, undefined);
  const untold = notices.filter((notice) => notice.target === target);
  const { epoch = 0, document } = targets.find((one) => one.target === target) ?? {};
  return {
    ...blank,
    state: {
      ...blank.state,
      epoch,
      indexed: true,
      requests: requests.filter((request) => request.target === target),
      ...(untold.length > 0 ? { notices: untold } : {}),
    },
    document: document && keptDocument(document),
    events: appended(
      "",
      events.filter((event) => event.target === target),
    ),
  };
}

function rootOf({ id, targets, events }: Archive, names: readonly string[], now: number): Root {
  const root = newRoot(id, now);
  root.targets = new Set(names);
  for (const { target, document } of targets)
    for (const hash of Object.keys(document.issued)) root.hashes.set(hash, target);
  root.nextSeq = events.reduce((greatest, { seq }) => Math.max(greatest, seq), 0) + 1;
  return root;
}

/** Nobody works on the target, and its ConfigMap holds nothing that was ever written. */
async function requireFree({ objects, leases }: FillParts, target: string): Promise<void> {
  if (await leases.isTaken(target)) throw leaseHeld(objects.journalName(), target);
  const { entry } = await readEntry(objects, undefined, target);
  if (entry && (entry.state.indexed || entry.document !== undefined))
    throw notEmpty(objects.journalName(), remedy(objects));
}

/** Another import of the same may have ended by now, and a worker have written here since: so the root is read after the entry. */
async function put({ objects, clock, random }: FillParts, entry: Entry, digest: string): Promise<void> {
  const { target } = entry.state;
  await persist(objects.journalName(), { clock, random }, async () => {
    const { object } = await readEntry(objects, undefined, target);
    const { root } = await readRoot(objects);
    if (root?.importing === digest) await writeEntry(objects, { ...entry, object });
  });
}

async function bringBack({ objects, clock, random }: FillParts, targets: readonly string[]): Promise<void> {
  for (const target of targets) {
    await persist(objects.journalName(), { clock, random }, async () => {
      const { entry } = await readEntry(objects, undefined, target);
      if (entry?.state.moved === undefined) return;
      const { moved: _, ...state } = entry.state;
      await writeEntry(objects, { ...entry, state });
    });
  }
}

function remedy({ config }: Objects): string {
  return `to give up what is there: kubectl delete configmaps -n ${config.namespace} -l ${JOURNAL_LABEL}=${config.name}`;
}
