import type { KubeObject } from "../../kubernetes/api.ts";
import { RotationError } from "../../lib/errors.ts";
import type { Expected } from "../probe.ts";
import { textAt } from "./fields.ts";
import type { KubePlace } from "./place.ts";
import { unrestartable, type WorkloadRef } from "./workload.ts";

/** So often a workload that somebody else changes at the same time is read again. */
const TRIES = 5;

/** Annotation of a pod template: the hash of the key that pods made by it start with. */
export function keyAnnotation(keyName: string): string {
  return `key.keyturn.dev/${keyName}`;
}

/** Annotation of a pod template: the rotation that last restarted its pods. */
export function rotationAnnotation(keyName: string): string {
  return `rotation.keyturn.dev/${keyName}`;
}

/** The hash stamped on a pod, or on the pod template found at `path`, under the key's present name or, lacking that, an earlier one. */
export function stampedHash(
  object: unknown,
  { keyNames }: Pick<Expected, "keyNames">,
  ...path: readonly string[]
): string | undefined {
  for (const name of keyNames) {
    const hash = textAt(object, ...path, "metadata", "annotations", keyAnnotation(name));
    if (hash !== undefined) return hash;
  }
  return undefined;
}

/**
 * Replaces every pod of a workload by stamping key and rotation on its pod template. What bears
 * both stamps already is left as it is; a workload that somebody changes meanwhile is read again.
 * Throws RotationError: `absent`, `unusable` for one that would not replace its pods, `conflict`
 * when others keep changing it, and what the API says.
 */
export async function restart(
  { kube, namespace }: KubePlace,
  workload: WorkloadRef,
  expected: Expected,
  signal?: AbortSignal,
): Promise<void> {
  const { resource, name, said } = workload;
  const where = `${said} in namespace ${namespace}`;
  const [keyName = ""] = expected.keyNames;
  const stamp = {
    [keyAnnotation(keyName)]: expected.hash,
    ...(expected.rotation !== undefined && { [rotationAnnotation(keyName)]: expected.rotation }),
  };
  for (let tries = 1; ; tries += 1) {
    const found = await kube.get<KubeObject>(resource, namespace, name, signal);
    if (found === undefined)
      throw new RotationError("absent", `there is no ${where}`, {
        hint: "correct its name or namespace in the policy",
      });
    const hindrance = unrestartable(workload, found);
    if (hindrance) throw new RotationError("unusable", `${where} ${hindrance.why}`, { hint: hindrance.hint });
    if (bears(found, stamp)) return;
    signal?.throwIfAborted();
    try {
      await kube.patch(resource, namespace, name, {
        metadata: { resourceVersion: found.metadata.resourceVersion },
        spec: { template: { metadata: { annotations: stamp } } },
      });
      return;
    } catch (thrown) {
      const again = thrown instanceof RotationError && thrown.code === "conflict" && tries < TRIES;
      if (!again) throw thrown;
    }
  }
}

function bears(workload: KubeObject, stamp: Record<string, string>): boolean {
  return Object.entries(stamp).every(
    ([name, value]) => textAt(workload, "spec", "template", "metadata", "annotations", name) === value,
  );
}
