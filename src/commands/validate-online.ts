import type { TargetDocument } from "../journal/document.ts";
import type { KubeApi } from "../kubernetes/api.ts";
import { failed, noted } from "../lib/check.ts";
import type { RotationError } from "../lib/errors.ts";
import { secretReader } from "../lib/secret-source.ts";
import type { PolicyNote } from "../policy/faults.ts";
import type { KeyPolicy, Policy } from "../policy/schema.ts";
import { kubernetesStoreOf, neededRights } from "../rights/needed.ts";
import { targetName } from "../rotation/names.ts";
import type { Examination } from "../stores/store.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { namedKeys } from "./keys.ts";
import { type CheckGroup, distinct } from "./online/groups.ts";
import { checkJournal } from "./online/journal.ts";
import { checkConsumers, checkValue } from "./online/key.ts";
import { checkNotify } from "./online/notify.ts";
import { checkProvider } from "./online/provider.ts";
import { type ClusterGroup, checkRights } from "./online/rights.ts";
import { examine, judgeSecret } from "./online/secret.ts";
import { checkServer } from "./online/server.ts";
import { print, printJson } from "./print.ts";
import { renderChecks } from "./render/checks.ts";
import { noteLines } from "./render/notes.ts";
import type { Style } from "./render/style.ts";

export interface OnlineOptions {
  json?: boolean;
}

/** What was judged before anything was called. */
interface Judged {
  policyFile: string;
  warnings: readonly PolicyNote[];
  style: Style;
}

/**
 * `rotate validate --online [KEY…]`: tries what the keys need, one check at a time, and changes
 * nothing. The clusters are asked beforehand, since the journal may lie in one.
 */
export async function validateOnline(
  context: Context,
  names: readonly string[],
  options: OnlineOptions,
  clusters: readonly ClusterGroup[],
): Promise<number> {
  const keys = keysNamed(context.policy, names);
  const groups = await lookAt(context, keys, clusters);
  return show(context, [...clusters, ...groups], options);
}

/** Whether we may do in each cluster of the policy what the named keys need there. */
export async function lookAtClusters(
  policy: Policy,
  names: readonly string[],
  kube: (context?: string) => KubeApi,
): Promise<ClusterGroup[]> {
  const named = { ...policy, keys: keysNamed(policy, names) };
  if (neededRights(named, "").length === 0) return [];
  // Where no namespace is named it is that of the cluster that keyturn runs in; if there is none, that is said of the cluster.
  const here = await kube()
    .cluster()
    .then(({ namespace }) => namespace)
    .catch(() => "default");
  return await checkRights(neededRights(named, here), kube);
}

/** Whether the journal lies in a cluster that does not answer: there is no use in opening it. */
export function journalIsAway({ journal }: Policy, clusters: readonly ClusterGroup[]): boolean {
  return (
    journal.type === "kubernetes" &&
    clusters.some(({ answers, context }) => !answers && context === journal.context)
  );
}

/** Shows the checks of the clusters and what the journal could not be opened for, unless that follows from them. */
export function showWithoutJournal(
  judged: Judged,
  clusters: readonly ClusterGroup[],
  thrown: RotationError | undefined,
  options: OnlineOptions,
): number {
  const [first, ...others] = clusters as [ClusterGroup, ...ClusterGroup[]];
  const follows = thrown === undefined || thrown.code === "forbidden";
  const why = follows
    ? noted("journal", "not opened; nothing else was looked at")
    : failed("journal", thrown);
  return show(judged, [{ ...first, checks: [...first.checks, why] }, ...others], options);
}

function keysNamed(policy: Policy, names: readonly string[]): KeyPolicy[] {
  const named = namedKeys(policy, names);
  return policy.keys.filter(({ name }) => named?.includes(name) ?? true);
}

function show(
  { policyFile, warnings, style }: Judged,
  groups: readonly CheckGroup[],
  options: OnlineOptions,
): number {
  const shown = groups.map(({ kind, name, checks }) => ({ kind, name, checks }));
  const ok = shown.every(({ checks }) => checks.every(({ result }) => result !== "failed"));
  if (options.json) printJson({ valid: true, faults: [], warnings, online: { ok, groups: shown } });
  else print([...noteLines(policyFile, warnings, style), renderChecks(shown, style)].join("\n"));
  return ok ? EXIT.done : EXIT.failed;
}

/** A key, and what the journal knows of its secret or why that cannot be read. */
interface Known {
  key: KeyPolicy;
  document?: TargetDocument | undefined;
  damage?: RotationError;
}

async function lookAt(
  context: Context,
  keys: readonly KeyPolicy[],
  clusters: readonly ClusterGroup[],
): Promise<CheckGroup[]> {
  const { policy, clients, journal } = context;
  const silent = new Set(clusters.filter(({ answers }) => !answers).map((cluster) => cluster.context));
  const entries = new Map((await journal.all()).map((entry) => [entry.target, entry]));
  const known = keys.map((key): Known => {
    const entry = entries.get(targetName(key.store.use, key.store.secret));
    return entry && "error" in entry ? { key, damage: entry.error } : { key, document: entry?.document };
  });
  const readSecret = secretReader(context.env);
  const providers = groupsOf(
    "provider",
    keys,
    ({ provider }) => provider,
    (name, users) => {
      const workspaces = users.map(({ settings }) => settings.workspaceId).filter((id) => id !== undefined);
      const config = policy.providers[name] as (typeof policy.providers)[string];
      return checkProvider(clients.provider(name), config, [...new Set(workspaces)], readSecret);
    },
  );
  const examined = await Promise.all(
    known.map(async (one) => {
      const store = kubernetesStoreOf(policy, one.key);
      if (store && silent.has(store.context)) return { ...one, seen: UNSEEN };
      return { ...one, seen: await examine(clients.store(one.key.store.use), one.key) };
    }),
  );
  const stores = groupsOf(
    "store",
    examined,
    ({ key }) => key.store.use,
    async (name, users) => {
      const config = policy.stores[name] as (typeof policy.stores)[string];
      const owner = { installation: policy.installation, journal: journal.id };
      return users.flatMap(({ key, document, seen }) => [
        ...seen.checks,
        ...judgeSecret(key, config, seen, owner, document),
      ]);
    },
  );
  const each = Promise.all(examined.map((one) => lookAtKey(context, one)));
  const ours = checkJournal(policy.journal, journal);
  const server = policy.server ? [checkServer(policy.server, readSecret)] : [];
  return [
    ...(await providers),
    ...(await stores),
    await ours,
    ...(await each),
    ...(await Promise.all(server)),
  ];
}

/** Of a secret in a cluster that does not answer, which is said of the cluster. */
const UNSEEN: Examination = { checks: [noted("secret", "not looked at: its cluster does not answer")] };

async function lookAtKey(
  { clients, env }: Context,
  { key, seen, document, damage }: Known & { seen: Examination },
): Promise<CheckGroup> {
  const current = seen.found?.view.current;
  const [value, consumers, notify] = await Promise.all([
    current?.value && checkValue(clients.provider(key.provider), current.value),
    checkConsumers(key, clients.probes(key), current, document),
    checkNotify(key, secretReader(env), env),
  ]);
  const journal = damage ? [failed("journal", damage)] : [];
  const checks = [...journal, ...(value ? [value] : []), ...consumers, ...notify];
  return { kind: "key", name: key.name, checks };
}

/** One group for each name that `nameOf` gives, in the order of their first appearance. */
async function groupsOf<T>(
  kind: CheckGroup["kind"],
  users: readonly T[],
  nameOf: (user: T) => string,
  look: (name: string, users: readonly T[]) => Promise<CheckGroup["checks"]>,
): Promise<CheckGroup[]> {
  const byName = [...Map.groupBy(users, nameOf)];
  return Promise.all(
    byName.map(async ([name, theirs]) => ({ kind, name, checks: distinct(await look(name, theirs)) })),
  );
}
