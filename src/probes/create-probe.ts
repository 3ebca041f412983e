import { RotationError } from "../lib/errors.ts";
import type { ConsumerPolicy } from "../policy/schema.ts";
import { execProbe } from "./exec-probe.ts";
import { httpProbe } from "./http-probe.ts";
import type { KeyHome } from "./kubernetes/place.ts";
import type { ProbeParts } from "./parts.ts";
import { podsProbe } from "./pods-probe.ts";
import type { Probe } from "./probe.ts";
import { rolloutProbe } from "./rollout-probe.ts";

/**
 * The probe of a consumer; `home` is where its key is kept, which Kubernetes probes start from.
 * Throws RotationError `policy-invalid` when the policy gives it none.
 */
export function createProbe(consumer: ConsumerPolicy, parts: ProbeParts, home?: KeyHome): Probe {
  const { http, exec, pods, kubernetes } = consumer.probe;
  if (http) return httpProbe(consumer, http, parts);
  if (exec) return execProbe(consumer, exec, parts);
  if (pods) return podsProbe(consumer, pods, parts, home);
  if (kubernetes) return rolloutProbe(consumer, kubernetes, parts, home);
  throw new RotationError("policy-invalid", `the probe of ${consumer.name} asks in no way`, {
    hint: "give it http: URL, exec: [COMMAND], pods: { … } or kubernetes: { rollout: deployment/NAME }",
  });
}
