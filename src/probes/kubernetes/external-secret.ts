import { EXTERNAL_SECRETS, type KubeObject, type KubeResource } from "../../kubernetes/api.ts";
import { RotationError } from "../../lib/errors.ts";
import { redactQuoted } from "../../lib/redact.ts";
import { listAt, secondAt, textAt } from "./fields.ts";
import type { KubePlace } from "./place.ts";

/** Installations of External Secrets before 0.16 serve this one only. */
const BEFORE_V1: KubeResource = { ...EXTERNAL_SECRETS, version: "v1beta1" };

export interface ExternalSecret {
  resource: KubeResource;
  name: string;
  object: KubeObject;
  /** Name of the Secret that it writes. */
  target: string;
}

/** An ExternalSecret. Throws RotationError: `absent`, `unusable` where the cluster has none of the kind, and what the API says. */
export async function readExternalSecret(
  { kube, namespace }: KubePlace,
  name: string,
  signal?: AbortSignal,
): Promise<ExternalSecret> {
  const read = async (resource: KubeResource): Promise<ExternalSecret> => {
    const object = await kube.get<KubeObject>(resource, namespace, name, signal);
    if (object === undefined)
      throw new RotationError("absent", `there is no ExternalSecret ${name} in namespace ${namespace}`, {
        hint: "correct its name or namespace in the policy",
      });
    return { resource, name, object, target: textAt(object, "spec", "target", "name") ?? name };
  };
  try {
    return await read(EXTERNAL_SECRETS);
  } catch (thrown) {
    const unknown = thrown instanceof RotationError && thrown.code === "unusable";
    if (!unknown) throw thrown;
    return await read(BEFORE_V1).catch((earlier) => {
      throw earlier instanceof RotationError && earlier.code === "unusable" ? thrown : earlier;
    });
  }
}

/** Why it would not refresh however often it is told to, and what to do; undefined when it would. */
export function neverRefreshes({ name, object }: ExternalSecret): { why: string; hint: string } | undefined {
  const refreshPolicy = textAt(object, "spec", "refreshPolicy") ?? "Periodic";
  const interval = textAt(object, "spec", "refreshInterval");
  const never =
    refreshPolicy === "CreatedOnce"
      ? "refreshPolicy CreatedOnce"
      : refreshPolicy === "Periodic" &&
          interval !== undefined &&
          /^0+(ns|us|µs|ms|s|m|h)?(0+(s|m))*$/.test(interval)
        ? `refreshInterval ${interval}`
        : undefined;
  return never === undefined
    ? undefined
    : {
        why: `ExternalSecret ${name} has ${never}: it is never refreshed once it has written its Secret`,
        hint: `set spec.refreshPolicy of externalsecret/${name} to OnChange, or to Periodic with an interval`,
      };
}

/** Tells it to refresh, as External Secrets documents it: by an annotation with a new value. */
export async function forceSync(
  { kube, namespace }: KubePlace,
  { resource, name }: ExternalSecret,
  now: number,
): Promise<void> {
  await kube.patch(resource, namespace, name, { metadata: { annotations: { "force-sync": String(now) } } });
}

/** What it says of a failed refresh: reason and message of its condition Ready, and since when; undefined when it is well. */
export function errorOf({ object }: ExternalSecret): { says: string; since: number | undefined } | undefined {
  const ready = listAt(object, "status", "conditions").find(
    (one) => textAt(one, "type") === "Ready" && textAt(one, "status") === "False",
  );
  if (ready === undefined) return undefined;
  const parts = [textAt(ready, "reason"), textAt(ready, "message")].filter((part) => part !== undefined);
  return {
    says: redactQuoted(parts.join(": ")) || "not ready",
    since: secondAt(ready, "lastTransitionTime"),
  };
}
