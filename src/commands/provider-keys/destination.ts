import { undamaged } from "../../journal/journal.ts";
import { RotationError } from "../../lib/errors.ts";
import { targetName } from "../../rotation/names.ts";
import type { SecretRef, Store } from "../../stores/store.ts";
import type { Context } from "../context.ts";

export interface DestinationOptions {
  store?: string;
  secret?: string;
  field?: string;
  reveal?: boolean;
}

/** A place for a key that is created by hand. */
export interface Destination {
  store: Store;
  ref: SecretRef;
  /** `secret ID in store NAME`, for messages. */
  title: string;
}

/**
 * Where a new key is to go; undefined for standard output. Throws RotationError `usage` unless
 * exactly one is asked for, since the provider never shows a key again.
 */
export function destinationOf({ clients }: Context, options: DestinationOptions): Destination | undefined {
  const { store: name, secret, field, reveal } = options;
  const refuse = (message: string, hint: string) => new RotationError("usage", message, { hint });
  if (name === undefined) {
    if (secret !== undefined || field !== undefined)
      throw refuse("--secret and --field say where in a store", "name it with --store");
    if (!reveal) {
      throw refuse(
        "the new key would be lost: the provider shows it only once",
        "add --reveal to print it on standard output, or --store NAME --secret ID to put it into a store",
      );
    }
    return undefined;
  }
  if (reveal) throw refuse("--reveal and --store exclude each other", "choose one");
  if (!secret) throw refuse("--store needs --secret", "give the secret's id: --secret ID");
  const store = clients.store(name);
  const ref = { secret, ...(field !== undefined && { field }) };
  return {
    store,
    ref,
    title: `${field === undefined ? "" : `field ${field} of `}secret ${secret} in store ${name}`,
  };
}

/** Throws RotationError `conflict` when a key of the policy is kept there, or anything stands there already. */
export async function refuseTaken(context: Context, { store, ref, title }: Destination): Promise<void> {
  const taken = (why: string, hint: string) => new RotationError("conflict", `${title} ${why}`, { hint });
  const keeper = await keeperOf(context, store, ref.secret);
  if (keeper !== undefined) {
    throw taken(
      `is where ${keeper} is kept fresh`,
      `name another secret; \`rotate --now ${keeper}\` puts a new key into this one`,
    );
  }
  const { current, staged, foreign } = await store.observe(ref);
  if (current?.value !== undefined) throw taken("has a value already", "name another secret or field");
  if (staged.length > 0 || foreign !== undefined) {
    throw taken(
      `is being written by ${foreign ?? "another rotation"}`,
      "name another secret, or wait for its end",
    );
  }
}

/** The policy's key whose secret this is, under whatever name of the store, or one that the journal still knows there. */
async function keeperOf(
  { policy, clients, journal }: Context,
  store: Store,
  secret: string,
): Promise<string | undefined> {
  const aliases = Object.keys(policy.stores).filter(
    (name) => clients.store(name).location === store.location,
  );
  const kept = policy.keys.find((key) => aliases.includes(key.store.use) && key.store.secret === secret);
  if (kept) return kept.name;
  const targets = aliases.map((name) => targetName(name, secret));
  const known = undamaged(await journal.all()).find(({ target }) => targets.includes(target));
  return known && (Object.values(known.document.keys)[0]?.name ?? known.target);
}
