import type { KubeApi } from "../../kubernetes/api.ts";
import type { Clock } from "../../lib/clock.ts";
import { type Owner, sameOwner } from "../../lib/owner.ts";
import type { Random } from "../../lib/random.ts";
import { Secret } from "../../lib/secret.ts";
import type { KubernetesStorePolicy } from "../../policy/schema.ts";
import { absentSecret, movedOn, notFenceable, rivalOwner } from "../refusals.ts";
import type { SecretRef, Store } from "../store.ts";
import { drop, promote, settled, stage } from "./changes.ts";
import { check } from "./check.ts";
import { entryOf, FENCES, INSTALLATION, JOURNAL } from "./names.ts";
import { type Objects, secretObjects } from "./objects.ts";
import { entryValue, type KubeSecret, withAnnotations, withValue } from "./secret-object.ts";
import { keptValue, ownerOf, viewOf } from "./shown.ts";

/**
 * A store of Secrets in one namespace, each value one entry of a Secret:
 *
 *     <secret>            what consumers use; its annotations name the version, the keys in it and the owner
 *     <secret>-keyturn    its companion, which nothing mounts: staged and earlier values, empty between rotations
 *
 * A promotion is a single write of the Secret over the resourceVersion at which it was read: it
 * happens wholly or not at all, and one that comes late fails. Labels, annotations and owners of
 * others, and other entries, stay as they are.
 */
export function kubernetesStore(
  name: string,
  config: KubernetesStorePolicy,
  parts: { kube: KubeApi; clock: Clock; random: Random },
): Store {
  const { namespace, context } = config;
  const objects = secretObjects(namespace, parts);
  return {
    name,
    location: ["kubernetes", context, namespace].filter((part) => part !== undefined).join(":"),
    async observe(ref) {
      const field = entryOf(ref);
      const found = await objects.load(ref);
      // A promotion that died half-way has left its value in the companion. Somebody who may only look leaves it.
      if (found.companion) await objects.keep(ref, found, settled(found)).catch(() => {});
      return viewOf(found, ref, field);
    },
    claim: (ref, owner, options) => claim(objects, ref, owner, options),
    stage: (ref, request) => stage(objects, ref, request),
    async read(ref, version) {
      const field = entryOf(ref);
      const found = await objects.load(ref);
      if (found.current === version) return entryValue(found.secret, field);
      const kept = found.versions.find(({ id }) => id === version);
      return kept && keptValue(found, kept, field);
    },
    promote: (ref, version, base) => promote(objects, ref, version, base),
    fence: (ref, base) => fence(objects, ref, base),
    drop: (ref, version) => drop(objects, ref, version),
    check: (ref) => check(parts.kube, objects, ref),
  };
}

/** As long as any provider's key. */
const ROOM = new Secret("-".repeat(256));

/** Makes the companion too, so that a right to it which is missing shows before any key is made. */
async function claim(
  objects: Objects,
  ref: SecretRef,
  owner: Owner,
  { create, takeOver }: { create: boolean; takeOver?: boolean },
): Promise<void> {
  const field = entryOf(ref);
  const stamp = { [INSTALLATION]: owner.installation, [JOURNAL]: owner.journal };
  await objects.attempt(ref, async () => {
    const found = await objects.load(ref);
    const { secret } = found;
    if (!secret && !create) throw absentSecret(ref);
    // What cannot be rotated is not claimed: what is no text, and where there is no room for a key.
    entryValue(secret, field);
    if (secret) withValue(secret, field, ROOM);
    const theirs = ownerOf(secret);
    const isOurs = theirs !== undefined && sameOwner(theirs, owner);
    if (theirs && !isOurs && !takeOver) throw rivalOwner(ref, theirs, owner);
    if (!found.companion) await objects.keep(ref, found, []);
    if (!secret) await objects.create(newSecret(ref, stamp));
    else if (!isOurs) await objects.amend(secret, withAnnotations(secret, stamp));
  });
}

/** A Secret that is not there needs no fence: a promotion only ever writes one that is. */
async function fence(objects: Objects, ref: SecretRef, base: string): Promise<void> {
  const field = entryOf(ref);
  await objects.attempt(ref, async () => {
    const { secret, fences, ...found } = await objects.load(ref);
    if (!secret) return;
    if (entryValue(secret, field) !== undefined)
      throw found.base === base ? notFenceable(ref) : movedOn(ref, base, found.base);
    if (found.base !== base) return;
    await objects.amend(secret, withAnnotations(secret, { [FENCES]: String(fences + 1) }));
  });
}

function newSecret({ secret }: SecretRef, annotations: Record<string, string>): KubeSecret {
  return { metadata: { name: secret, annotations }, type: "Opaque" };
}
