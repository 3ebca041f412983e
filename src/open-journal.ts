import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import type { Journal } from "./journal/journal.ts";
import type { Holder } from "./journal/kubernetes/holder.ts";
import { memoryJournal } from "./journal/memory.ts";
import type { JournalPlace } from "./journal/place.ts";
import { openSqliteJournal } from "./journal/sqlite/open.ts";
import { sqlitePlace } from "./journal/sqlite/place.ts";
import type { KubeApi } from "./kubernetes/api.ts";
import type { Clock } from "./lib/clock.ts";
import { requireRights } from "./lib/filesystem.ts";
import type { Random } from "./lib/random.ts";
import type { JournalPolicy } from "./policy/schema.ts";
import type { Log } from "./rotation/parts.ts";

export interface JournalParts {
  clock: Clock;
  random: Random;
  kube: (context?: string) => KubeApi;
  log: Log;
  env: NodeJS.ProcessEnv;
}

/** The journal that a policy names. With `mayCreate: false` one that is not there is not made, and counts as empty. */
export async function openJournal(
  config: JournalPolicy,
  { mayCreate, ...parts }: JournalParts & { mayCreate: boolean },
): Promise<Journal> {
  if (config.type === "kubernetes") {
    const { openKubernetesJournal } = await import("./journal/kubernetes/open.ts");
    return await openKubernetesJournal(config, { ...kubernetesParts(config, parts), mayCreate });
  }
  requireRights(dirname(config.path));
  if (!mayCreate && !existsSync(config.path)) return memoryJournal(parts);
  return await openSqliteJournal(config.path, parts);
}

/** The same journal as a place to move from and to. */
export async function journalPlace(config: JournalPolicy, parts: JournalParts): Promise<JournalPlace> {
  if (config.type === "kubernetes") {
    const { kubernetesPlace } = await import("./journal/kubernetes/place.ts");
    return kubernetesPlace(config, kubernetesParts(config, parts));
  }
  requireRights(dirname(config.path));
  return sqlitePlace(config.path, parts);
}

function kubernetesParts(
  { context }: Extract<JournalPolicy, { type: "kubernetes" }>,
  { clock, random, kube, log, env }: JournalParts,
) {
  return { clock, random, log, kube: kube(context), holder: holderOf(env) };
}

/** This process as others are to know it; in a pod, by what the downward API has put into its environment. */
function holderOf({ POD_NAME, POD_NAMESPACE, POD_UID }: NodeJS.ProcessEnv): Holder {
  const host = hostname();
  if (!POD_NAME || !POD_NAMESPACE) return { host };
  return { host, pod: { namespace: POD_NAMESPACE, name: POD_NAME, ...(POD_UID ? { uid: POD_UID } : {}) } };
}
