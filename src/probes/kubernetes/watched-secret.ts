import { type KubeObject, SECRETS } from "../../kubernetes/api.ts";
import { RotationError } from "../../lib/errors.ts";
import type { ConsumerPolicy } from "../../policy/schema.ts";
import { type ExternalSecret, readExternalSecret } from "./external-secret.ts";
import type { KeyHome, KubePlace } from "./place.ts";

/** The Secret from which a consumer's pods get the key. */
export interface WatchedSecret {
  name: string;
  /** The one entry that is the key, where that is known; else any entry may be it. */
  entry?: string | undefined;
  /** What writes it, where the policy has that refreshed. */
  source?: ExternalSecret;
}

/**
 * The Secret that the policy names for the probe or the reload, else what the ExternalSecret that is
 * refreshed writes, else the key's own where that lies in the same namespace; undefined when there
 * is none of these. Throws as {@link readExternalSecret} does.
 */
export async function watchedSecret(
  place: KubePlace,
  { probe, reload }: ConsumerPolicy,
  home: KeyHome | undefined,
  signal?: AbortSignal,
): Promise<WatchedSecret | undefined> {
  const own = ownSecret(place.namespace, home);
  const named = reload?.kubernetes?.secret ?? probe.kubernetes?.secret;
  const sync = reload?.kubernetes?.sync;
  const source = sync === undefined ? undefined : await readExternalSecret(place, nameIn(sync), signal);
  const name = named ?? source?.target;
  if (name === undefined) return own;
  return { name, ...(own?.name === name && { entry: own.entry }), ...(source && { source }) };
}

/**
 * That Secret itself; undefined when it is absent. Of a right that is missing for a name that only
 * the ExternalSecret tells, the hint is to write the name down: a Role is made of what the policy says.
 */
export async function readWatched(
  { kube, namespace }: KubePlace,
  { name, source }: WatchedSecret,
  signal?: AbortSignal,
): Promise<KubeObject | undefined> {
  try {
    return await kube.get<KubeObject>(SECRETS, namespace, name, signal);
  } catch (thrown) {
    const untold = source?.target === name && source.name !== name;
    if (!untold || !(thrown instanceof RotationError) || thrown.code !== "forbidden") throw thrown;
    throw new RotationError("forbidden", thrown.message, {
      hint: `write secret: ${name} beside sync: externalsecret/${source.name}, then allow get on secrets/${name} in namespace ${namespace} by what \`rotate init --kubernetes-rbac\` prints`,
      cause: thrown,
    });
  }
}

function ownSecret(namespace: string, home: KeyHome | undefined): WatchedSecret | undefined {
  const { store, key } = home ?? {};
  if (store?.type !== "kubernetes" || store.namespace !== namespace || key === undefined) return undefined;
  return { name: key.store.secret, entry: key.store.field };
}

/** The name in `externalsecret/NAME`. */
function nameIn(sync: string): string {
  return sync.slice(sync.indexOf("/") + 1);
}
