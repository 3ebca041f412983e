import type { Change, Journal } from "../../src/journal/journal.ts";
import { documentOf } from "../../src/journal/kubernetes/entry.ts";
import { linesOf } from "../../src/journal/kubernetes/event-lines.ts";
import { TARGET_ANNOTATION } from "../../src/journal/kubernetes/names.ts";
import type { ConfigMap } from "../../src/journal/kubernetes/objects.ts";
import { openKubernetesJournal } from "../../src/journal/kubernetes/open.ts";
import { type MemoryJournalState, memoryJournal, memoryJournalState } from "../../src/journal/memory.ts";
import { CONFIG_MAPS, type KubeApi } from "../../src/kubernetes/api.ts";
import type { Random } from "../../src/lib/random.ts";
import { type Cluster, HOME } from "./cluster.ts";
import type { SimProcess } from "./process.ts";

/** One installation's journal, wherever it is kept. */
export interface JournalHome {
  open(process: SimProcess, parts: { random: Random; kube: KubeApi }): Promise<Journal>;
  /** What is held of each target, as JSON. */
  documents(): string[];
  /** All that was ever written to it and stands there, as text. */
  written(): string[];
  /** As it stands now; called, it is put back as from a backup. */
  backup(): () => void;
  lose(): void;
}

/** A journal that each process reaches on the same disk. */
export function onDisk(random: Random): JournalHome {
  let state = memoryJournalState(random);
  return {
    async open(process, parts) {
      const journal = memoryJournal({ clock: process.clock, random: parts.random }, state);
      process.journal = journal;
      return journal;
    },
    documents: () => [...state.documents.values()],
    written: () => [
      ...state.documents.values(),
      ...state.events,
      ...[...state.requests.values()].map(({ text }) => text),
    ],
    backup: () => backupOf(state),
    lose() {
      state = memoryJournalState(random);
    },
  };
}

function backupOf({ documents, hashes, requests }: MemoryJournalState): () => void {
  const copies = [copyOf(documents), copyOf(hashes), copyOf(requests)];
  return () => {
    for (const restore of copies) restore();
  };
}

function copyOf<K, V>(map: Map<K, V>): () => void {
  const entries = [...map];
  return () => {
    map.clear();
    for (const [key, value] of entries) map.set(key, value);
  };
}

/** A journal in ConfigMaps and Leases. */
export function inCluster({ model }: Cluster, installation: string): JournalHome {
  const maps = () =>
    model
      .all<ConfigMap>(CONFIG_MAPS, HOME)
      .filter(({ metadata: { name } }) => name === installation || name.startsWith(`${installation}-`));
  return {
    open: (process, { random, kube }) =>
      openKubernetesJournal(
        { namespace: HOME, name: installation },
        { kube, clock: process.clock, random, holder: { host: process.name }, log: () => {} },
      ),
    documents: () =>
      maps().flatMap(({ metadata, data }) => {
        const target = metadata.annotations?.[TARGET_ANNOTATION];
        if (target === undefined || data?.document === undefined) return [];
        return [JSON.stringify(documentOf({ state: { target }, document: data.document }))];
      }),
    written: () => maps().map((map) => JSON.stringify(map)),
    backup() {
      const kept = maps();
      return () => {
        for (const { metadata } of maps())
          if (!kept.some((map) => map.metadata.name === metadata.name))
            model.remove(CONFIG_MAPS, HOME, metadata.name);
        for (const { metadata, ...map } of kept) {
          const { name, labels = {}, annotations = {} } = metadata;
          model.put<ConfigMap>(CONFIG_MAPS, HOME, { ...map, metadata: { name, labels, annotations } });
        }
      };
    },
    lose() {
      for (const { metadata } of maps()) model.remove(CONFIG_MAPS, HOME, metadata.name);
    },
  };
}

/** Reads commits off the ConfigMaps as they land: the events that each has added. */
export class CommitReader {
  readonly #cluster: Cluster;
  /** By ConfigMap, the number of the last event that was seen. */
  readonly #seen = new Map<string, number>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The commit that has just changed a ConfigMap, if that was one. */
  read(name: string): { target: string; events: Change["events"] } | undefined {
    const map = this.#cluster.model.find<ConfigMap>(CONFIG_MAPS, HOME, name);
    const target = map?.metadata.annotations?.[TARGET_ANNOTATION];
    if (target === undefined) return undefined;
    const seen = this.#seen.get(name) ?? -1;
    const added: (Change["events"][number] & { seq: number })[] = [];
    for (const line of linesOf(map?.data?.events ?? "").reverse()) {
      const event = JSON.parse(line) as (typeof added)[number];
      if (event.seq <= seen) break;
      added.unshift(event);
    }
    this.#seen.set(name, added.at(-1)?.seq ?? seen);
    const events = added.filter(({ kind }) => kind !== "requested");
    return events.length === 0 ? undefined : { target, events };
  }

  /** The journal was lost, or put back as it was. */
  forget(): void {
    this.#seen.clear();
    for (const { metadata } of this.#cluster.model.all<ConfigMap>(CONFIG_MAPS, HOME))
      this.read(metadata.name);
  }
}
