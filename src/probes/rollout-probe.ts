import { type KubeObject, PODS } from "../kubernetes/api.ts";
import { RotationError } from "../lib/errors.ts";
import type { ConsumerPolicy, RolloutProbePolicy } from "../policy/schema.ts";
import { problemOf } from "./detail.ts";
import { judgeRollout } from "./kubernetes/judge-rollout.ts";
import { type KeyHome, placeOf } from "./kubernetes/place.ts";
import { isLive, isOf } from "./kubernetes/pods.ts";
import { readWatched, watchedSecret } from "./kubernetes/watched-secret.ts";
import { podSelector, workloadRef } from "./kubernetes/workload.ts";
import type { ProbeParts } from "./parts.ts";
import { withPatience } from "./patience.ts";
import type { Expected, InstanceAnswer, Probe } from "./probe.ts";

/**
 * For images that cannot tell which key they use: looks at the rollout of the workload, at every
 * pod of it that may still run, and at the Secret that feeds them. The Secret is read last, so that
 * it tells of any change while the others were read. All of it within the probe's timeout.
 */
export function rolloutProbe(
  consumer: ConsumerPolicy,
  policy: RolloutProbePolicy,
  parts: Pick<ProbeParts, "kube" | "clock">,
  home?: KeyHome,
): Probe {
  const workload = workloadRef(policy.rollout);

  async function look(expected: Expected, signal: AbortSignal): Promise<InstanceAnswer[]> {
    const place = await placeOf(policy.namespace, home, parts);
    const { kube, namespace } = place;
    const where = `${workload.said} in namespace ${namespace}`;
    const found = await kube.get<KubeObject>(workload.resource, namespace, workload.name, signal);
    if (found === undefined) throw new RotationError("absent", `there is no ${where}`);
    const labelSelector = podSelector(found);
    if (labelSelector === undefined)
      throw new RotationError("unusable", `the pods of ${where} cannot be found: it has no selector`);
    const { items } = await kube.list<KubeObject>(PODS, namespace, { labelSelector, signal });
    const pods = items.filter((pod) => isLive(pod) && isOf(workload, pod));
    const watched = await watchedSecret(place, consumer, home, signal);
    if (watched === undefined)
      throw new RotationError("unusable", `the policy does not say which Secret feeds ${where}`, {
        hint: "set secret: NAME beside rollout",
      });
    const secret = await readWatched(place, watched, signal);
    const { name: secretName, entry } = watched;
    return judgeRollout({ workload, found, pods, secretName, secret, entry }, expected);
  }

  return {
    consumer: consumer.name,
    async sweep(expected, outer) {
      const { timeout: ms } = consumer.probe;
      const late = () => `the Kubernetes API did not answer within ${ms / 1_000}s`;
      try {
        const instances = await withPatience({ ms, clock: parts.clock, outer, late }, (signal) =>
          look(expected, signal),
        );
        return { consumer: consumer.name, instances };
      } catch (thrown) {
        return { consumer: consumer.name, instances: [], problem: problemOf(thrown) };
      }
    },
  };
}
