import type { KubeApi } from "../../kubernetes/api.ts";
import { randomId } from "../../lib/random.ts";
import type { Journal } from "../journal.ts";
import { memoryJournal } from "../memory.ts";
import { announcer } from "./announce.ts";
import { type Holder, holderIdentity, holderLooks } from "./holder.ts";
import { KubernetesJournal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { JournalConfig } from "./names.ts";
import { Objects } from "./objects.ts";
import { type Outside, persist } from "./persist.ts";
import { newRoot, readRoot, refuseUnused, writeRoot } from "./root.ts";

export interface KubernetesParts extends Outside {
  kube: KubeApi;
  /** This process. Its pod counts only in the cluster that it runs in. */
  holder: Holder;
  log: Log;
  /** False: a journal that is not there is not made, and counts as empty. */
  mayCreate?: boolean;
}

/** What the cluster is called in which a process runs whose credentials are its pod's. */
const IN_CLUSTER = "in-cluster";

/**
 * Opens the journal in ConfigMaps and Leases of one namespace, drawing its id when there is none.
 * Throws RotationError `unusable` (edited, not a journal, moved away, no cluster), `newer-version`,
 * `forbidden`, `absent` (the namespace), and weather.
 */
export async function openKubernetesJournal(config: JournalConfig, parts: KubernetesParts): Promise<Journal> {
  const { kube, clock, random, log } = parts;
  const objects = new Objects(kube, config);
  const id = await persist(objects.said("ConfigMap", config.name), parts, async () => {
    const { root, object } = await readRoot(objects);
    if (root) {
      refuseUnused(objects, root);
      return root.id;
    }
    if (parts.mayCreate === false) return undefined;
    const begun = newRoot(randomId(random, 16), clock.now());
    await writeRoot(objects, object, begun);
    return begun.id;
  });
  if (id === undefined) return memoryJournal({ clock, random });
  return new KubernetesJournal(id, await journalParts(objects, parts, log));
}

/** What a journal on these objects works with, for one process. */
export async function journalParts(objects: Objects, parts: KubernetesParts, log: Log) {
  const { kube, clock, random } = parts;
  const { name } = await kube.cluster();
  const { host, pod } = parts.holder;
  const holder = holderIdentity(name === IN_CLUSTER && pod ? { host, pod } : { host }, random);
  return {
    objects,
    clock,
    random,
    holder,
    isAlive: holderLooks(objects, log),
    announcer: announcer(objects, holder, log),
    log,
  };
}
