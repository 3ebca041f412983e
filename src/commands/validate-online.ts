import type { TargetDocument } from "../journal/document.ts";
import { failed } from "../lib/check.ts";
import type { RotationError } from "../lib/errors.ts";
import { secretReader } from "../lib/secret-source.ts";
import type { KeyPolicy } from "../policy/schema.ts";
import { targetName } from "../rotation/names.ts";
import type { Examination } from "../stores/store.ts";
import type { Context } from "./context.ts";
import { EXIT } from "./exit.ts";
import { namedKeys } from "./keys.ts";
import { type CheckGroup, distinct } from "./online/groups.ts";
import { checkConsumers, checkValue } from "./online/key.ts";
import { checkProvider } from "./online/provider.ts";
import { examine, judgeSecret } from "./online/secret.ts";
import { print, printJson } from "./print.ts";
import { renderChecks } from "./render/checks.ts";
import { noteLines } from "./render/notes.ts";

/** `rotate validate --online [KEY…]`: tries what the keys need, one check at a time, and changes nothing. */
export async function validateOnline(
  context: Context,
  names: readonly string[],
  options: { json?: boolean },
): Promise<number> {
  const { policy, policyFile, warnings, style } = context;
  const named = namedKeys(policy, names);
  const keys = policy.keys.filter(({ name }) => named?.includes(name) ?? true);
  const groups = await lookAt(context, keys);
  const ok = groups.every(({ checks }) => checks.every(({ result }) => result !== "failed"));
  if (options.json) printJson({ valid: true, faults: [], warnings, online: { ok, groups } });
  else print([...noteLines(policyFile, warnings, style), renderChecks(groups, style)].join("\n"));
  return ok ? EXIT.done : EXIT.failed;
}

/** A key, and what the journal knows of its secret or why that cannot be read. */
interface Known {
  key: KeyPolicy;
  document?: TargetDocument | undefined;
  damage?: RotationError;
}

async function lookAt(context: Context, keys: readonly KeyPolicy[]): Promise<CheckGroup[]> {
  const { policy, clients, journal } = context;
  const entries = new Map((await journal.all()).map((entry) => [entry.target, entry]));
  const known = keys.map((key): Known => {
    const entry = entries.get(targetName(key.store.use, key.store.secret));
    return entry && "error" in entry ? { key, damage: entry.error } : { key, document: entry?.document };
  });
  const readSecret = secretReader(process.env);
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
    known.map(async (one) => ({ ...one, seen: await examine(clients.store(one.key.store.use), one.key) })),
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
  return [...(await providers), ...(await stores), ...(await each)];
}

async function lookAtKey(
  { clients }: Context,
  { key, seen, document, damage }: Known & { seen: Examination },
): Promise<CheckGroup> {
  const current = seen.found?.view.current;
  const [value, consumers] = await Promise.all([
    current?.value && checkValue(clients.provider(key.provider), current.value),
    checkConsumers(key, clients.probes(key), current, document),
  ]);
  const journal = damage ? [failed("journal", damage)] : [];
  return { kind: "key", name: key.name, checks: [...journal, ...(value ? [value] : []), ...consumers] };
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
