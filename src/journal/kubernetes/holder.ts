import type { KubeObject } from "../../kubernetes/api.ts";
import { PODS } from "../../kubernetes/api.ts";
import { RotationError } from "../../lib/errors.ts";
import { type Random, randomId } from "../../lib/random.ts";
import type { Log } from "./log.ts";
import type { Objects } from "./objects.ts";

/** The process that opens a journal, as others are to know it. */
export interface Holder {
  /** For people, and for a process that is no pod of the journal's cluster. */
  host: string;
  /** The pod that it runs in. */
  pod?: { namespace: string; name: string; uid?: string };
}

/** What Leases call this process: `NAMESPACE/POD/UID/ID`, or `HOST/ID`. The id is drawn anew at every opening. */
export function holderIdentity({ host, pod }: Holder, random: Random): string {
  const id = randomId(random);
  return (pod ? [pod.namespace, pod.name, pod.uid ?? "", id] : [host.replaceAll("/", "_"), id]).join("/");
}

/**
 * Tells whether a Lease's holder is a pod of the journal's namespace that is certainly gone: deleted,
 * replaced by another of its name, or ended (an evicted pod has failed). Whoever cannot be looked at
 * counts as alive, and the lease's time decides.
 */
export function holderLooks(objects: Objects, log: Log): (identity: string) => Promise<boolean> {
  let refused = false;
  return async (identity) => {
    const [namespace, name, uid, id] = identity.split("/");
    if (refused || !namespace || !name || !id || namespace !== objects.config.namespace) return true;
    try {
      const pod = await objects.kube.get<Pod>(PODS, namespace, name);
      if (pod === undefined) return false;
      if (uid && pod.metadata.uid !== uid) return false;
      return pod.status?.phase !== "Failed" && pod.status?.phase !== "Succeeded";
    } catch (thrown) {
      if (thrown instanceof RotationError && thrown.code === "forbidden") {
        refused = true;
        log(
          "debug",
          { hint: thrown.hint },
          `the lease of a pod that is gone has to run out: ${thrown.message}`,
        );
      }
      return true;
    }
  };
}

interface Pod extends KubeObject {
  status?: { phase?: string };
}
