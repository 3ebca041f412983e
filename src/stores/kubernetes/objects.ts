import { type KubeApi, SECRETS } from "../../kubernetes/api.ts";
import type { Clock } from "../../lib/clock.ts";
import { asRotationError, asUnclear, mayHaveHappened, RotationError } from "../../lib/errors.ts";
import type { Random } from "../../lib/random.ts";
import type { SecretRef } from "../store.ts";
import { type KeptVersion, newCompanion, versionsIn, withVersions } from "./companion.ts";
import { companionName } from "./names.ts";
import { asSecret, changesOf, type KubeSecret } from "./secret-object.ts";
import { type Shown, shownOf } from "./shown.ts";
import { assertUsable } from "./usable.ts";

/** How often a change is begun that other writers or weather keep from ending, and the first pause in milliseconds. */
const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 100;
/** Whoever is asked for more patience than this is told so. */
const LONGEST_PAUSE_MS = 10_000;

/** A Secret and its companion, as they were read. */
export interface Found extends Shown {
  companion: KubeSecret | undefined;
}

/** The two objects of a secret in a namespace. */
export interface Objects {
  namespace: string;
  /** Throws RotationError `unusable` for what cannot be rotated. */
  load(ref: SecretRef): Promise<Found>;
  /**
   * Calls `work` until it gets through. It begins with `load` and does what is not yet done; a write of
   * its that was lost to another writer, or not answered, begins it again. Throws `busy` when others
   * write all the time, `unclear` when the last word on a write stays out.
   */
  attempt<T>(ref: SecretRef, work: () => Promise<T>): Promise<T>;
  create(secret: KubeSecret): Promise<void>;
  /** Writes what differs from what was read, and nothing else, only over the version that it was read at. */
  amend(read: KubeSecret, wanted: KubeSecret): Promise<KubeSecret>;
  /** Creates the companion when there is none; writes nothing when nothing differs. */
  keep(ref: SecretRef, found: Found, versions: readonly KeptVersion[]): Promise<KubeSecret>;
}

/** A write that did not get through, or of which nobody knows: to be looked at again. */
class LostWrite extends Error {
  readonly reason: RotationError;
  constructor(reason: RotationError) {
    super(reason.message);
    this.reason = reason;
  }
}

export function secretObjects(
  namespace: string,
  { kube, clock, random }: { kube: KubeApi; clock: Clock; random: Random },
): Objects {
  const get = async (name: string) => {
    const found = await kube.get<KubeSecret>(SECRETS, namespace, name);
    return found && asSecret(found, name);
  };
  const write = async (work: () => Promise<KubeSecret>) => {
    try {
      const written = await work();
      return asSecret(written, written.metadata.name);
    } catch (thrown) {
      const error = asRotationError(thrown);
      if (mayPass(error)) throw new LostWrite(error);
      throw error;
    }
  };
  const create = (secret: KubeSecret) => write(() => kube.create(SECRETS, namespace, secret));
  const amend = (read: KubeSecret, wanted: KubeSecret) =>
    write(() =>
      kube.patch<KubeSecret>(SECRETS, namespace, read.metadata.name, changesOf(read, wanted)),
    ).catch((thrown: unknown) => {
      // It was deleted after it was read.
      if (thrown instanceof RotationError && thrown.code === "absent") throw new LostWrite(thrown);
      throw thrown;
    });

  return {
    namespace,
    async load(ref) {
      // The companion first: what is staged there may have become current by the time the Secret is read, never the reverse.
      const companion = await get(companionName(ref.secret));
      const versions = versionsIn(companion, ref.secret);
      const secret = await get(ref.secret);
      if (secret) assertUsable(secret);
      return { ...shownOf(secret, versions), companion };
    },
    async attempt(ref, work) {
      let unclear: RotationError | undefined;
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await work();
        } catch (thrown) {
          if (!(thrown instanceof LostWrite)) throw unclear ? asUnclear(asRotationError(thrown)) : thrown;
          const { reason } = thrown;
          if (mayHaveHappened(reason)) unclear = reason;
          const asked = reason.retryAfterMs ?? 0;
          if (attempt === ATTEMPTS || asked > LONGEST_PAUSE_MS) throw unclear ?? inTheEnd(reason, ref);
          const pause = FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + random.fraction() / 2);
          await clock.sleep(Math.max(asked, Math.min(pause, LONGEST_PAUSE_MS)));
        }
      }
    },
    create: async (secret) => {
      await create(secret);
    },
    amend,
    async keep(ref, { companion, versions: before }, versions) {
      if (companion === undefined)
        return create(withVersions(newCompanion(ref.secret), ref.secret, versions));
      if (JSON.stringify(before) === JSON.stringify(versions)) return companion;
      return amend(companion, withVersions(companion, ref.secret, versions));
    },
  };
}

function mayPass({ code }: RotationError): boolean {
  return ["conflict", "unclear", "malformed", "throttled", "unreachable"].includes(code);
}

/** `conflict` would say that current has moved on, and it is other things that others change. */
function inTheEnd(reason: RotationError, { secret }: SecretRef): RotationError {
  if (reason.code !== "conflict" && reason.code !== "absent") return reason;
  return new RotationError(
    "busy",
    `Secret ${secret} or its companion was changed by others each of ${ATTEMPTS} times that a change was tried`,
    { hint: "look in its metadata.managedFields who writes it all the time", cause: reason },
  );
}
